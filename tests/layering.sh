#!/usr/bin/env bash
# Checks that an include in src/solion goes only to the same room or down the list of src/solion/CMakeLists.txt.
set -euo pipefail
cd "$1/src/solion"
declare -A links=()
# Folds continued lines, then reads "solion_room(name DEPENDS solion_a solion_b …)".
while read -r line; do
  name=$(sed -E 's/^solion_room\(([a-z]+).*/\1/' <<<"$line")
  links[$name]=" $name"
  for below in $(grep -oE 'solion_[a-z]+' <<<"${line#*DEPENDS}" | sed 's/solion_//'); do
    links[$name]+=" $below ${links[$below]:-}"
  done
done < <(tr '\n' ' ' <CMakeLists.txt | grep -oE 'solion_room\([^)]*\)')
bad=0
count=0
for room in "${!links[@]}"; do
  while IFS=: read -r file line include; do
    count=$((count + 1))
    target=$(sed -E 's/.*"solion\/([a-z]+)\/.*/\1/' <<<"$include")
    if [[ " ${links[$room]} " != *" $target "* ]]; then
      echo "$file:$line: room '$room' may not include from '$target'"
      bad=1
    fi
  done < <(grep -rnE '#include "solion/' "$room" 2>/dev/null || true)
done
for folder in */; do
  [[ -n "${links[${folder%/}]:-}" ]] || { echo "folder ${folder%/} is no room of CMakeLists.txt"; bad=1; }
done
((count > 0)) || { echo "no includes found: the check looked at nothing"; bad=1; }
echo "$count includes checked"
exit "$bad"
