#!/bin/sh
# A reward as a shell script:
#
#     reward: { kind: command, command: [sh, reward.sh] }
#
# Each line on standard input is a JSON object whose last key here is the candidate; each answer is one number on a line.
# This one only looks whether the candidate ends like a sentence.

while IFS= read -r line; do
  case $line in
    *.\"} | *!\"} | *\?\"}) echo 1 ;;
    *) echo 0 ;;
  esac
done
