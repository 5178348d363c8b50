# What the tests of the program share: a folder of their own, one way to fail and to skip, two ways to expect a message.
# First line of a test: source "$(dirname "$0")/lib.sh" "$@". Then $solion, $source and $work are set and $work is the folder.
set -euo pipefail
solion=$(realpath "$1")
source=$(realpath "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fail() {
  echo "FAILED: $*"
  exit 1
}
# skip WHAT: this machine lacks it; CTest counts the test as skipped.
skip() {
  echo "skipped: needs $*"
  exit 77
}
# said WORDS FILE…: a fixed text or an extended regular expression is in one of the files.
said() {
  local words=$1
  shift
  grep -qF -- "$words" "$@" || grep -qE -- "$words" "$@"
}
# expect STATUS WORDS COMMAND…: the command ends so and says so, in out.txt or err.txt.
expect() {
  local wanted=$1 words=$2 status=0
  shift 2
  "$@" >out.txt 2>err.txt || status=$?
  [[ $status == "$wanted" ]] || fail "'$*' ended with $status, not $wanted: $(cat out.txt err.txt)"
  said "$words" out.txt err.txt || fail "'$*' did not say '$words': $(cat out.txt err.txt)"
}
# refused WORDS COMMAND…: wrong input; exit status 2, one line that holds the words, and no new file.
refused() {
  touch out.txt err.txt
  local before after
  before=$(find . | sort)
  expect 2 "$@"
  [[ $(wc -l <err.txt) == 1 ]] || fail "'${*:2}' said more than one line: $(cat err.txt)"
  after=$(find . | sort)
  [[ $after == "$before" ]] || fail "'${*:2}' left files: $(diff <(echo "$before") <(echo "$after"))"
}
