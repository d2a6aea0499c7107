# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Sourced by the parts of the stage: what each check found, counted, and the closing line.
passed=0 failed=0 skipped=0

ok() {
	passed=$((passed + 1))
	echo "ok: $*"
}

bad() {
	failed=$((failed + 1))
	echo "FAILED: $*"
}

skip() {
	skipped=$((skipped + 1))
	echo "skipped: $*"
}

# check WHAT COMMAND…: the command's last lines are shown only if it fails.
check() {
	local what=$1 output
	shift
	if output=$("$@" 2>&1 </dev/null); then
		ok "$what"
	else
		bad "$what"
		tail -n 40 <<<"$output" | sed 's/^/    /'
		return 1
	fi
}

# same WHAT EXPECTED GOT
same() {
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		bad "$1: differs:"
		diff <(echo "$2") <(echo "$3") | head -n 40 | sed 's/^/    /'
	fi
}

closing() {
	if [ "$skipped" -gt 0 ]; then
		echo "$passed passed, $failed failed, $skipped skipped"
	else
		echo "$passed passed, $failed failed"
	fi
	[ "$failed" -eq 0 ]
}
