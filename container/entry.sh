#!/bin/sh
# What the container does with its words: they are cellscale's, or DeepCell's, or a program that a workflow engine starts.
case ${1-} in
    mesmer) exec cellscale-run-app "$@" ;;
    sh | bash | python | python3 | /*) exec "$@" ;;
    *) exec cellscale "$@" ;;
esac
