#!/usr/bin/env bash
# The command blocks of docs/install.md and docs/python.md as they stand, as root, each page on a copy-on-write view of this
# machine that is forgotten afterwards. SOLION SOURCE_DIR.
source "$(dirname "$0")/lib.sh" "$@"
((EUID == 0)) || skip "root"
[[ $(dirname "$solion") == "$source/build" ]] || skip "the program in build/ of the sources"
grep -q '^SOLION_SANITIZE:BOOL=ON' "$source/build/CMakeCache.txt" && { echo "skipped: a sanitized program is not packed"; exit 77; }
for tool in unshare cpack dpkg-deb apt-get; do
  command -v $tool >/dev/null || skip "$tool"
done

cat >view.sh <<'END'
# view.sh COMMANDS: runs them in the source folder of an overlay over /, whose changes live in memory; Debian's own programs only.
set -euo pipefail
mkdir layers view
mount -t tmpfs -o size=4g tmpfs layers
mkdir layers/upper layers/work
mount -t overlay -o lowerdir=/,upperdir="$PWD/layers/upper",workdir="$PWD/layers/work" overlay view
mount --rbind /proc view/proc
mount --rbind /dev view/dev
exec env PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot view /bin/bash -euo pipefail -c "cd '$SOURCE'; $1"
END
view() { (mkdir "$1" && cd "$1" && SOURCE=$source unshare --mount bash ../view.sh "$2" </dev/null); }
view trial true 2>err || skip "mount namespaces and overlays: $(tail -1 err)"

blocks() { awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } on' "$source/docs/$1.md"; }
echo 'APT::Get::Assume-Yes "true";' >apt.conf
export APT_CONFIG=$work/apt.conf SOLION_BUILD_DIR=$source/build  # pip takes the module that is built
command -v ccache >/dev/null && export CMAKE_CXX_COMPILER_LAUNCHER=ccache

blocks install >install.sh
[[ $(wc -l <install.sh) -ge 5 ]] || fail "hardly any commands in docs/install.md"
view install "$(cat install.sh)
for program in /usr/local/bin/solion /usr/bin/solion; do diff <(build/solion --version) <(\$program --version); done" >install.log 2>&1 ||
  fail "docs/install.md: $(tail -20 install.log)"
grep -q '^Li24 O8 Cl8: -311.49' install.log || fail "docs/install.md: the outside project printed $(tail -3 install.log)"
[[ ! -e /usr/local/bin/solion || /usr/local/bin/solion -ot install.sh ]] || fail "the view did leak into this machine"
echo "docs/install.md: $(wc -l <install.sh) lines run"

blocks python >python.sh
grep -q 'pip install \.' python.sh || fail "no pip in docs/python.md"
if apt-get -s install --no-install-recommends $(grep -m1 -o 'python3-dev .*' python.sh) >apt.log 2>&1; then
  view python "$(cat python.sh)
env/bin/python -c 'import solion; assert solion.__file__.startswith(\"'$source'/env/\"), solion.__file__'" >python.log 2>&1 ||
    fail "docs/python.md: $(tail -20 python.log)"
  echo "docs/python.md: $(wc -l <python.sh) lines run"
else
  echo "skipped: docs/python.md: apt has no such packages here: $(tail -1 apt.log)"
fi
