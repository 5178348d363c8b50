#!/usr/bin/env bash
# check_report.sh REPORT.html: opens the report in headless Chromium and checks that every figure is drawn.
# Status 0 all drawn, 1 not, 77 no browser here. Used by the tests of the program; useful by hand too.
set -euo pipefail
report=$(realpath "$1")
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
[[ -n "$browser" ]] || { echo "skipped: needs chromium"; exit 77; }
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
options=(--headless --no-sandbox --disable-gpu --enable-unsafe-swiftshader --disable-quic --no-first-run --disable-background-networking
  --disable-component-update --disable-sync --user-data-dir="$profile" --window-size=1200,1600 --virtual-time-budget=60000)
dom=$(timeout 300 "$browser" "${options[@]}" --dump-dom "file://$report" 2>"$profile/errors" || true)
drawn=$(grep -o '<figure [^>]*data-drawn="true"' <<<"$dom" | wc -l)
figures=$(grep -o '<figure id=' "$report" | wc -l)
echo "$drawn of $figures figures drawn"
[[ -n "${2:-}" ]] && timeout 300 "$browser" "${options[@]}" --screenshot="$2" "file://$report" >/dev/null 2>&1
((figures > 0 && drawn == figures))
