#!/usr/bin/env bash
# Builds codementor into the image of a Gradescope autograder. Written by `codementor ci init gradescope`.
set -euo pipefail

apt-get update
apt-get install -y --no-install-recommends build-essential ca-certificates curl git
curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal
"$HOME/.cargo/bin/cargo" install --locked --root /autograder/codementor --git https://github.com/codementor/codementor codementor
# What it was built with is not needed any more, and an image is loaded for each submission.
rm -rf "$HOME/.cargo/registry" "$HOME/.cargo/git" "$HOME/.rustup"
