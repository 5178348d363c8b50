#!/usr/bin/env bash
# The Debian packages: made by cpack, unpacked and run; what they say that they need is here. SOLION SOURCE_DIR.
source "$(dirname "$0")/lib.sh" "$@"
build=$(dirname "$solion")
for tool in cpack dpkg-deb dpkg-shlibdeps apt-get; do
  command -v $tool >/dev/null || skip "$tool"
done
grep -q '^SOLION_SANITIZE:BOOL=ON' "$build/CMakeCache.txt" && { echo "skipped: a sanitized program is not packed"; exit 77; }
(cd "$build" && cpack -G DEB -B "$work/debs" >"$work/log" 2>&1) || { cat "$work/log"; fail "cpack"; }
for deb in "$work"/debs/*.deb; do
  echo "$(dpkg-deb -f "$deb" Package): $(dpkg-deb -f "$deb" Depends)"
  dpkg-deb -x "$deb" "$work/root"
done
# apt would install these packages here and no others: what they need is what building solion needed.
apt-get -s -o Debug::NoLocking=1 --no-install-recommends install "$work"/debs/*.deb >"$work/log" 2>&1 || { cat "$work/log"; fail "dependencies"; }
others=$(grep '^Inst ' "$work/log" | grep -vE '^Inst (solion|libsolion-dev|python3-solion|solion-mpi) ' || true)
[[ -z $others ]] || fail "the packages need more than what is here: $others"
[[ -e $work/debs/solion_0.1.0_$(dpkg --print-architecture).deb ]] || fail "names of the packages: $(ls "$work/debs")"
# The program out of its package, with its data, pages and completions.
"$work/root/usr/bin/solion" evaluate -m "$source/examples/li3ocl/buckingham.toml" "$source/examples/li3ocl/unit_cell.xyz" >out
grep -q 'Li3 O1 Cl1' out || fail "the packed program"
for file in share/man/man1/solion-train.1 share/bash-completion/completions/solion share/zsh/vendor-completions/_solion \
  share/fish/vendor_completions.d/solion.fish share/doc/solion/copyright lib/cmake/solion/solionConfig.cmake \
  include/solion/dp/model.hpp; do
  [[ -s $work/root/usr/$file ]] || fail "no $file in the packages"
done
# As dpkg puts it, into a root of its own.
if ((EUID == 0)); then
  mkdir -p "$work/away/var/lib/dpkg/"{info,updates,triggers}
  : >"$work/away/var/lib/dpkg/status"
  dpkg --root="$work/away" --force-depends -i "$work"/debs/solion_*.deb >log 2>&1 || { cat log; fail "dpkg -i"; }
  "$work/away/usr/bin/solion" --version >/dev/null || fail "the program after dpkg -i"
fi
if [[ -d $work/root/usr/lib/python3/dist-packages/solion ]] && /usr/bin/python3 -c 'import numpy' 2>/dev/null; then
  PYTHONPATH=$work/root/usr/lib/python3/dist-packages /usr/bin/python3 -c 'import solion; print(solion.crystal("li3ocl"))'
fi
