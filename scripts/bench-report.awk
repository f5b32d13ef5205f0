# SPDX-License-Identifier: GPL-2.0
#
# Joins tools/bench/rows.txt (what was to be measured, and how well) with the
# measurements of the guest: a table on stdout, and -v json=FILE. The status
# is 1 if a row was not measured or, on a full run, if a figure was not reached.

FNR == 1 { file++ }

# rows.txt
file == 1 && /^row: / {
	row = substr($0, 6)
	order[++rows] = row
	next
}
file == 1 && /^asked: / { asked[row] = substr($0, 8); next }
file == 1 && /^peer: / { peer_row[row] = substr($0, 7); next }
file == 1 { next }

# measurements
{ split($0, field, "\t") }
field[1] == "environment" { environment = field[2] }
field[1] == "measure" {
	name = field[2]
	who = field[3]
	if (!(name in people))
		names[++measured] = name
	people[name] = people[name] (people[name] == "" ? "" : "\t") who
	value[name, who] = field[4]
	unit[name] = field[5] == "ns" && environment ~ /icount/ ? "instructions" : field[5]
}
$0 == "end" { complete = 1 }

function shown(number) {
	if (number == "")
		return ""
	if (number >= 1000 || number == int(number))
		return sprintf("%.0f", number)
	return number >= 10 ? sprintf("%.1f", number) : sprintf("%.3f", number)
}

function text_or_null(text) {
	return text == "" ? "null" : "\"" text "\""
}

function number_or_null(number) {
	return number == "" ? "null" : sprintf("%.3f", number)
}

function to_json(name, ours, theirs, who, ratio) {
	printf "%s\n  {\"name\": \"%s\", \"ours\": %s, \"peer\": %s, \"peer_name\": %s, " \
	       "\"ratio\": %s, \"unit\": \"%s\", \"environment\": \"%s\"}", \
	       entries++ ? "," : "[", name, number_or_null(ours), number_or_null(theirs), \
	       text_or_null(who), number_or_null(ratio), unit[name], environment > json
}

function line(name, ours, theirs, who, ratio, wish, what) {
	printf "%-24s %12s %12s  %-12s %7s  %-16s %s\n", name, ours, theirs, who, ratio, wish, what
}

# "<= 82 ok", "< glibc MISSED"
function judge(wish, name, peers,    part, limit, good) {
	if (wish == "")
		return ""
	split(wish, part, " ")
	limit = part[2] ~ /^[0-9.]+$/ ? part[2] : value[peers, part[2]]
	good = part[1] == "<=" ? value[name, "privheap"] + 0 <= limit + 0 : \
				 value[name, "privheap"] + 0 < limit + 0
	figures++
	missed += !good
	return wish (good ? " ok" : " MISSED")
}

# One line for ours, with the first peer beside it, and one for each other peer.
function print_row(name, peers, wish,    who, count, i, ours, theirs, ratio, first) {
	ours = value[name, "privheap"]
	count = split(peers in people ? people[peers] : "", who, "\t")
	wish = judge(wish, name, peers)
	first = 1
	for (i = 1; i <= count; i++) {
		if (who[i] == "privheap")
			continue
		theirs = value[peers, who[i]]
		ratio = ours == "" || theirs + 0 == 0 ? "" : ours / theirs
		line(first ? name : "", first ? shown(ours) : "", shown(theirs), who[i], \
		     shown(ratio), first ? wish : "", unit[name])
		to_json(name, ours, theirs, who[i], ratio)
		first = 0
	}
	if (first) {
		line(name, shown(ours), "", "", "", wish, unit[name])
		to_json(name, ours, "", "", "")
	}
}

# The three policies side by side; one line per what.
function print_policy(name,    what) {
	what = name
	sub(/\.[^.]*$/, "", what)
	if (policy_seen[what]++)
		return
	if (!policy_head++)
		printf "\n%-24s %12s %12s %12s\n", "policy", "speed", "compact", "growable"
	printf "%-24s %12s %12s %12s  %s\n", what, shown(value[what ".speed", "privheap"]), \
	       shown(value[what ".compact", "privheap"]), \
	       shown(value[what ".growable", "privheap"]), unit[name]
}

function print_name(row, name) {
	if (name ~ /^policy\./) {
		print_policy(name)
		to_json(name, value[name, "privheap"], "", "", "")
	} else {
		print_row(name, row in peer_row ? peer_row[row] : name, asked[row])
	}
}

function matches(row, name) {
	if (row ~ /\*$/)
		return index(name, substr(row, 1, length(row) - 1)) == 1
	return row == name
}

END {
	print environment
	line("row", "ours", "peer", "peer's name", "ratio", "asked", "unit")
	for (r = 1; r <= rows; r++) {
		found = 0
		for (n = 1; n <= measured; n++) {
			if (!matches(order[r], names[n]))
				continue
			found++
			print_name(order[r], names[n])
		}
		if (!found) {
			print order[r] ": not measured"
			absent++
		}
	}
	print "\n]" > json
	printf "\n%d of %d figures reached; what each row means: tools/bench/rows.txt\n", \
	       figures - missed, figures
	if (environment ~ /SHORT/)
		print "SHORT: a run to see that all rows work; the figures do not count."
	exit absent > 0 || !complete || (missed > 0 && environment !~ /SHORT/)
}
