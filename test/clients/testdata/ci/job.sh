#!/bin/sh
# A CI job of a Node program: brings Redis up, runs the program, takes all of it down. It wants larder in PATH and a
# LARDER_HOME of its own.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
end() { larder down --yes; }
trap end EXIT
larder up "$here"
eval "$(larder env)"
NODE_PATH="$here/../../node_modules" node "$here/job.js"
larder destroy --yes
