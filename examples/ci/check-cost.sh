#!/bin/sh
# Compare workload files with those of another commit, and stop above a gate.
#
#   check-cost.sh BASE FILE... [-- OPTIONS]      OPTIONS are those of `reelwise diff`
#   check-cost.sh origin/main workload.yaml -- --max-increase 10% --max-usd 500
#
# Run it in the repository; FILE is relative to where you are. The comparison is with the commit at which the branch left
# BASE, private prices included. A file that is new, or gone, is compared with nothing.
# Writes Markdown to $OUT (cost.md if unset) and to standard output.
# Exit codes: 0 within the gate, 3 above it, 2 bad input, anything else as `reelwise diff` said.
set -euf

if [ $# -lt 2 ]; then
    echo "usage: check-cost.sh BASE FILE... [-- OPTIONS]" >&2
    exit 2
fi
base=$1
shift
files=
while [ $# -gt 0 ] && [ "$1" != "--" ]; do
    files="$files$1
"
    shift
done
[ $# -eq 0 ] || shift

out=${OUT:-cost.md}
from=$(git merge-base "$base" HEAD) || {
    echo "error: $base and HEAD have no commit in common; fetch the whole history (fetch-depth: 0)" >&2
    exit 2
}
folder=$(mktemp -d)
trap 'git worktree remove --force "$folder/base" 2>/dev/null || true; rm -rf "$folder"' EXIT
GIT_LFS_SKIP_SMUDGE=1 git worktree add --quiet --detach "$folder/base" "$from"
prefix=$(git rev-parse --show-prefix)

worst=0
: >"$folder/all.md"
IFS='
'
for file in $files; do
    before=$folder/base/$prefix$file
    after=$file
    if [ ! -e "$before" ] && [ ! -e "$after" ]; then
        echo "error: $file is neither here nor in $base" >&2
        exit 2
    fi
    [ -e "$before" ] || before=/dev/null
    [ -e "$after" ] || after=/dev/null
    code=0
    reelwise diff "$before" "$after" "$@" --out "$folder/one.md" || code=$?
    case $code in
        0) ;;
        3) worst=3 ;;
        *) exit "$code" ;;
    esac
    cat "$folder/one.md" >>"$folder/all.md"
    echo >>"$folder/all.md"
done
cp "$folder/all.md" "$out"
cat "$out"
exit "$worst"
