#!/usr/bin/env bash
# Talks to a service that listens on a Unix socket, with socat or nc and jq alone.
#
#   hone serve --socket /tmp/hone.sock &
#   Clients/shell/examples.sh /tmp/hone.sock
set -euo pipefail

socket=${1:?usage: examples.sh SOCKET}

# Sends the lines of standard input and writes the answers, one per line. Both tools must keep listening after the last
# line is sent: socat for -t seconds (the default of half a second is too short for a compile), nc with -N.
ask() {
  if command -v socat >/dev/null; then
    socat -t 600 - "UNIX-CONNECT:$socket"
  else
    nc -N -U "$socket"
  fi
}

echo '== One call'
jq -nc '{jsonrpc: "2.0", id: 1, method: "evaluate", params: {
    program: "question -> answer", metric: "numeric_match", lm: "simulated", experiment: "shell",
    devset: {name: "word-problems", split: "test", limit: 20}}}' |
  ask | jq -r '.result | "score \(.score) of \(.count), simulated: \(.simulated), run \(.runId)"'

echo '== A batch that compiles, evaluates and lists'
jq -nc '[
    {id: "compile", method: "compile", params: {
      program: "question -> answer", metric: "numeric_match", lm: "simulated", experiment: "shell",
      optimizer: {name: "MIPROv2", auto: null, num_candidates: 3, num_trials: 4, minibatch_size: 10},
      trainset: {name: "word-problems", split: "train", limit: 20},
      valset: {name: "word-problems", split: "val", limit: 20}}},
    {id: "evaluate", method: "evaluate", params: {
      program: "question -> answer", metric: "numeric_match", lm: "simulated", experiment: "shell",
      devset: {name: "word-problems", split: "test", limit: 20}}},
    {id: "list", method: "listExperiments"}
  ] | map({jsonrpc: "2.0"} + .)' |
  ask | jq -r '.[] | "\(.id): \(.result.status // (.result.experiments | length | tostring + " experiments"))"' | sort

echo '== Progress'
jq -nc '{jsonrpc: "2.0", id: 3, method: "evaluate", params: {
    program: "question -> answer", metric: "numeric_match", lm: "simulated", workDoneToken: "p",
    devset: {name: "word-problems", split: "test", limit: 20}}}' |
  ask | jq -r 'if .method == "$/progress" then .params.value | "\(.kind): \(.message // .title)"
               else "answered: \(.result.score)" end'

echo '== An error'
jq -nc '{jsonrpc: "2.0", id: 4, method: "evaluate", params: {program: "question -> answer", metric: "exact_mach"}}' |
  ask | jq -r '.error | "\(.code) \(.data.kind)", (.data.problems[] | "  \(.path): \(.message)")'

echo '== The best runs'
jq -nc '{jsonrpc: "2.0", id: 5, method: "listRuns", params: {
    experiment: "shell", filter: "metrics.eval > 0", orderBy: ["metrics.eval DESC"], maxResults: 3}}' |
  ask | jq -r '.result.runs[] | "\(.metrics.eval) \(.name)"'
