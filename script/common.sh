# Sourced by the scripts of this folder: where things are, and how they speak.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=${MANTA_VENV:-${XDG_DATA_HOME:-$HOME/.local/share}/manta/venv}
benchVenv=${MANTA_BENCH_VENV:-${XDG_DATA_HOME:-$HOME/.local/share}/manta/bench-venv}

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }

fail() {
    say "$*"
    exit 1
}

# seconds_since START: START is a value of EPOCHREALTIME; prints "12.3".
seconds_since() { awk -v from="$1" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f", to - from }'; }
