#!/usr/bin/env bash
# Manual pages and completions SOLION SOURCE_DIR: the shells and groff read them, and they know every verb and option.
source "$(dirname "$0")/lib.sh" "$@"
verbs=$("$solion" --help | sed -n '/^Subcommands:/,$p' | awk '/^  [a-z]/ {print $1}')
(($(wc -w <<<"$verbs") > 15)) || fail "verbs of --help: $verbs"

# bash: what Tab would offer behind "solion WORDS…", the last one unfinished.
"$solion" completion bash -o bash
bash -n bash
offered() {
  bash -c 'source ./bash; COMP_WORDS=(solion "$@"); COMP_CWORD=$#; _solion; printf "%s\n" "${COMPREPLY[@]}"' bash "$@"
}
# has TEXT LINE: the line is one of the text's.
has() { [[ $'\n'$1$'\n' == *$'\n'$2$'\n'* ]]; }
all=$(offered "")
for verb in $verbs; do
  has "$all" "$verb" || fail "bash does not offer $verb"
  options=$(offered "$verb" --)
  for option in $("$solion" "$verb" --help | grep -oE '^ +(-[a-zA-Z],)?--[a-zA-Z-]+' | grep -oE -- '--[a-zA-Z-]+'); do
    has "$options" "$option" || fail "bash does not offer $verb $option"
  done
done
[[ $(offered train --prec) == --precision ]] || fail "train --prec: $(offered train --prec)"
[[ $(offered train --precision s) == single ]] || fail "train --precision s: $(offered train --precision s)"
has "$(offered analyze "")" msd || fail "analyze msd"
[[ $(offered analyze msd --jump) == --jump-length-A ]] || fail "analyze msd --jump"
[[ -z $(offered md in) ]] || fail "file names are the shell's: $(offered md in)"

for shell in zsh fish; do
  "$solion" completion $shell -o $shell.script
  for verb in $verbs; do grep -qw "$verb" $shell.script || fail "$shell does not know $verb"; done
  if command -v $shell >/dev/null; then
    $shell -n $shell.script || fail "$shell does not read its script"
  else
    echo "$shell is not here; its script was only searched"
  fi
done
if command -v fish >/dev/null; then
  [[ $(fish -c 'source fish.script; complete -C "solion analyze ms"') == msd* ]] || fail "fish: analyze ms"
  [[ $(fish -c 'source fish.script; complete -C "solion train --prec"') == --precision* ]] || fail "fish: train --prec"
fi

# Manual pages: one a verb, without a warning.
"$solion" man --all pages
[[ -s pages/solion.1 && -s pages/solion-analyze-msd.1 ]] || fail "pages: $(ls pages)"
for verb in $verbs; do [[ -s pages/solion-$verb.1 ]] || fail "no page of $verb"; done
cmp -s pages/solion-train.1 <("$solion" man train) || fail "man train is another page than with --all"
if command -v groff >/dev/null; then
  for page in pages/*.1; do
    groff -k -man -ww -Tutf8 "$page" >text 2>warnings || fail "groff $page"
    [[ ! -s warnings ]] || fail "$page: $(head -n 3 warnings)"
  done
  groff -k -man -Tutf8 -P-cbou pages/solion-train.1 >text
  grep -q -- '--precision' text || fail "the page of train has no --precision: $(cat text)"
fi
if command -v mandoc >/dev/null; then
  mandoc -T lint -W error pages/*.1 || fail "mandoc"
fi
status=0
"$solion" man nonsense >out 2>err || status=$?
[[ $status == 2 ]] && grep -q "no verb 'nonsense'" err || fail "man nonsense: $status, $(cat err)"
# A misspelt verb or option is named, with the one that was meant.
refused "there is no 'solion relx'; did you mean 'relax'\?" "$solion" relx a.xyz
refused "relax has no option --modl; did you mean '--model'\? \(solion relax --help\)" "$solion" relax --modl x.toml y.xyz
refused "there is no 'solion analyze mds'; did you mean 'msd'\?" "$solion" analyze mds
refused "subcommand is required \(solion analyze --help\)" "$solion" analyze

# Threads wait briefly, but for the programs that solion starts nothing is chosen.
"$solion" build --crystal li3ocl --supercell 2 2 2 -o cell.extxyz >/dev/null
printf '#!/bin/sh\nenv >"%s/environment"\nexit 1\n' "$PWD" >code
chmod +x code
env -u OMP_WAIT_POLICY -u GOMP_SPINCOUNT "$solion" label --reference cp2k --program "$PWD/code" cell.extxyz -o labels >out 2>&1 && fail "a code that ends with status 1 gave labels"
[[ -s environment ]] || fail "the code was not started: $(cat out)"
! grep SPINCOUNT environment || fail "the environment of a code is changed"
env -u OMP_WAIT_POLICY -u GOMP_SPINCOUNT "$solion" bench -m "$source/examples/li3ocl/model.dp" cell.extxyz --steps 2000 --threads 1 >out 2>&1 &
bench=$!
for ((k = 0; k < 100; ++k)); do
  grep -qz '^GOMP_SPINCOUNT=10000$' "/proc/$bench/environ" 2>/dev/null && break
  sleep 0.05
done
((k < 100)) || fail "no short waits in the environment that the program was started with"
[[ "$(cat "/proc/$bench/comm")" == solion ]] || fail "the program is called $(cat "/proc/$bench/comm")"
kill "$bench"
wait "$bench" || true
