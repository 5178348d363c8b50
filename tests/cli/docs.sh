#!/usr/bin/env bash
# The documentation: every block of commands (```sh) of every page is run, page by page (cli.install runs what installs), and what
# a page shows (```text) is what was printed, with … for anything. A block behind <!-- stop after N s --> may be interrupted then, one behind
# <!-- needs a GPU --> must say so where there is none. The README's commands are run as they stand, the long ones until they are interrupted.
# Every link between pages leads somewhere; where mkdocs is installed, the site builds without a warning.
source "$(dirname "$0")/lib.sh" "$@"
command -v python3 >/dev/null || skip python3

export HOME=$work  # where models for KIM are installed
PATH=$(dirname "$solion"):$PATH SOLION_SOURCE=$source SOLION=$solion OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 python3 - "$source/docs" <<'END_PYTHON'
import os, pathlib, re, shutil, signal, subprocess, sys

docs = pathlib.Path(sys.argv[1])
failures = []

def blocks(text):
    """(language, content, seconds after which it may be stopped, whether it needs a GPU, line) of every fenced block."""
    lines, i, limit, device = text.split("\n"), 0, None, False
    while i < len(lines):
        stop = re.match(r"<!-- stop after (\d+) s -->", lines[i])
        if stop:
            limit = int(stop[1])
        device = device or lines[i] == "<!-- needs a GPU -->"
        fence = re.match(r"```(\w+)$", lines[i])
        if fence:
            end = lines.index("```", i)
            yield fence[1], "\n".join(lines[i + 1:end]), limit, device, i + 1
            i, limit, device = end, None, False
        i += 1

def run(commands, folder, limit):
    process = subprocess.Popen(["bash", "-euo", "pipefail", "-c", commands], cwd=folder, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    try:
        out, err = process.communicate(timeout=limit or 300)
        return process.returncode, out, err
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGINT if limit else signal.SIGKILL)
        out, err = process.communicate(timeout=120)
        # bash may end by the signal itself, the program with status 130
        return (0 if limit and process.returncode in (130, -signal.SIGINT) else process.returncode or 1), out, err

def shown_is_printed(shown, out):
    rest = out.split("\n")
    for line in shown.split("\n"):
        pattern = re.compile(".*".join(map(re.escape, line.split("…"))) + r"\s*$")
        while rest and not pattern.match(rest[0]):
            rest.pop(0)
        if not rest:
            return line
    return None

def run_page(page, folder):
    """Runs the blocks of a page in a folder, as they come."""
    out, count = "", 0
    for language, content, limit, device, line in blocks(page.read_text()):
        where = f"{page.relative_to(docs)}:{line}"
        if language == "sh":
            status, out, err = run(content, folder, limit)
            count += 1
            if device and status == 2 and re.match("solion: .*(no CUDA device|built without CUDA)", err):
                print(f"skipped: {where} needs a GPU")
            elif status != 0:
                failures.append(f"{where}: status {status}: {err[-600:]}")
                break  # what follows builds on it
        elif language == "text":
            missing = shown_is_printed(content, out)
            if missing is not None:
                failures.append(f"{where}: '{missing}' was not printed; printed was:\n{out}")
    print(f"{page.relative_to(docs)}: {count} blocks run")

# What a checkout has after script/build.
checkout = pathlib.Path("checkout")
shutil.copytree(docs.parent / "examples", checkout / "examples")
(checkout / "build").mkdir()
(checkout / "build/solion").symlink_to(os.environ["SOLION"])

elsewhere = {"install.md", "python.md"}  # cli.install
if not (shutil.which("lmp") and shutil.which("mpirun") and (pathlib.Path(os.environ["SOLION"]).parent / "kim").exists()):
    elsewhere.add("lammps.md")
    print("skipped: lammps.md needs LAMMPS, Open MPI and the KIM API")
for page in sorted(docs.rglob("*.md")):
    text = page.read_text()
    if "\n```sh\n" not in text or str(page.relative_to(docs)) in elsewhere:
        continue
    folder = checkout if "build/solion " in text.split("\n```sh\n")[1] else pathlib.Path(page.stem)
    folder.mkdir(exist_ok=True)
    run_page(page, folder)

# The README, word for word, where it says.
commands = [line.split(" #")[0].strip() for block in re.findall(r"```sh\n(.*?)```", (docs.parent / "README.md").read_text(), re.S)
            for line in block.split("\n") if line.startswith("build/solion ")]
if len(commands) < 8:
    failures.append(f"README.md: hardly any commands found: {commands}")
for command in commands:
    verb = command.split()[1]
    if verb == "label" and subprocess.run(["/usr/bin/python3", "-c", "import gpaw"], capture_output=True).returncode:
        print(f"skipped: README.md: {command}: needs gpaw")
        continue
    status, out, err = run(command, checkout, {"train": 10, "label": 20, "study": 10}.get(verb))
    if status != 0:
        failures.append(f"README.md: {command}: status {status}: {err[-600:]}")
print(f"README.md: {len(commands)} commands run")

for page in sorted(docs.rglob("*.md")):
    for target in re.findall(r"\]\(([^)#:\s]+\.\w+)(?:#[^)]*)?\)", page.read_text()):
        if not (page.parent / target).exists():
            failures.append(f"{page.relative_to(docs)}: no such page or file: {target}")

# Every key that a reader asks for stands on the page of that input.
pages = {"study/config.cpp": "study.md", "study/read_checks.cpp": "study.md", "md/settings.cpp": "theory/md.md",
         "observe/kinds.cpp": "theory/md.md", "learn/campaign.cpp": "learn.md",
         "potential/buckingham.cpp": "theory/potential.md", "reference/settings.cpp": "labels.md", "reference/executor.cpp": "learn.md"}
getter = re.compile(r"\.(?:number|numbers|integer|integers|boolean|text|texts|path|existing_paths?|positives?|not_negative|count|repeats"
                    r"|table|table_or_empty|tables)\(\"(\w+)\"")
for reader, page in pages.items():
    words = set(re.findall(r"\w+", (docs / page).read_text()))
    keys = set(getter.findall((docs.parent / "src/solion" / reader).read_text()))
    if len(keys) < 5:
        failures.append(f"{reader}: hardly any keys found; is this test still right?")
    failures += [f"docs/{page}: the key {key} of src/solion/{reader} is not described" for key in sorted(keys - words)]

sys.exit("\n".join(failures) or 0)
END_PYTHON

if command -v mkdocs >/dev/null; then
  mkdocs build --strict --quiet --config-file "$source/mkdocs.yml" --site-dir "$work/site" 2>site.log || fail "mkdocs: $(cat site.log)"
  [[ -s site/tutorials/your-crystal.html ]] || fail "the site has no tutorial"
else
  echo "skipped: the site itself needs mkdocs"
fi
echo "docs: all good"
