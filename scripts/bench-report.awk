# SPDX-License-Identifier: GPL-2.0
#
# Joins tools/bench/rows.txt (what was to be measured, and how well) with the
# measurements of the guests, one file each: tables on stdout, and -v json=FILE.
# The status is 1 if a row was not measured or, on a full run, if a figure was
# not reached.

FNR == 1 { file++ }

# rows.txt
file == 1 && /^row: / {
	row = substr($0, 6)
	order[++rows] = row
	parts[row] = " full "
	next
}
file == 1 && /^parts: / { parts[row] = " " substr($0, 8) " "; next }
file == 1 && /^asked: / { asked[row, ""] = substr($0, 8); next }
file == 1 && /^asked in / {
	split($0, field, ": ")
	asked[row, substr(field[1], 10)] = field[2]
	next
}
file == 1 && /^most: / { most[row] = substr($0, 7); next }
file == 1 && /^peer: / { peer_row[row] = substr($0, 7); next }
file == 1 { next }

# measurements; the tables are keyed by file, which is by environment
{ split($0, field, "\t") }
field[1] == "part" { part[file] = field[2] }
field[1] == "environment" { environment[file] = field[2] }
field[1] == "measure" {
	name = field[2]
	who = field[3]
	if (!((file, name) in people))
		names[file, ++measured[file]] = name
	people[file, name] = people[file, name] (people[file, name] == "" ? "" : "\t") who
	value[file, name, who] = field[4]
	unit[file, name] = field[5] == "ns" && environment[file] ~ /icount/ ? "instructions" : field[5]
}
$0 == "end" { complete++ }

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

function to_json(f, name, ours, theirs, who, ratio) {
	printf "%s\n  {\"name\": \"%s\", \"ours\": %s, \"peer\": %s, \"peer_name\": %s, " \
	       "\"ratio\": %s, \"unit\": \"%s\", \"environment\": \"%s\"}", \
	       entries++ ? "," : "[", name, number_or_null(ours), number_or_null(theirs), \
	       text_or_null(who), number_or_null(ratio), unit[f, name], environment[f] > json
}

function line(name, ours, theirs, who, ratio, wish, what) {
	printf "%-24s %12s %12s  %-12s %7s  %-24s %s\n", name, ours, theirs, who, ratio, wish, what
}

function compare(figure, how, limit) {
	if (how == "<=")
		return figure <= limit
	if (how == ">=")
		return figure >= limit
	return figure < limit
}

# What a peer took; of the best of them all, the least.
function figure_of(f, peers, who,    i, count, name, least) {
	if (who != "best")
		return value[f, peers, who]
	count = split(people[f, peers], name, "\t")
	for (i = 1; i <= count; i++)
		if (name[i] != "privheap" && (least == "" || value[f, peers, name[i]] < least))
			least = value[f, peers, name[i]] + 0
	return least
}

# "<= 82 ok", "< glibc MISSED", "<= 0.25 of slub ok"; not rounded.
function judge(f, wish, name, peers,    word, limit, good) {
	if (wish == "")
		return ""
	split(wish, word, " ")
	limit = word[2] ~ /^[0-9.]+$/ ? word[2] : figure_of(f, peers, word[2])
	if (word[3] == "of")
		limit *= figure_of(f, peers, word[4])
	good = compare(value[f, name, "privheap"] + 0, word[1], limit + 0)
	figures++
	if (name in most && value[f, name, "privheap"] + 0 > most[name]) {
		missed++
		return wish " UNSTEADY"
	}
	missed += !good
	return wish (good ? " ok" : " MISSED")
}

# One line for ours, with the first peer beside it, and one for each other peer.
function print_row(f, name, peers, wish,    who, count, i, ours, theirs, ratio, first) {
	ours = value[f, name, "privheap"]
	count = split((f, peers) in people ? people[f, peers] : "", who, "\t")
	wish = judge(f, wish, name, peers)
	first = 1
	for (i = 1; i <= count; i++) {
		if (who[i] == "privheap")
			continue
		theirs = value[f, peers, who[i]]
		ratio = ours == "" || theirs + 0 == 0 ? "" : ours / theirs
		line(first ? name : "", first ? shown(ours) : "", shown(theirs), who[i], \
		     shown(ratio), first ? wish : "", unit[f, name])
		to_json(f, name, ours, theirs, who[i], ratio)
		first = 0
	}
	if (first) {
		line(name, shown(ours), "", "", "", wish, unit[f, name])
		to_json(f, name, ours, "", "", "")
	}
}

# The three policies side by side; one line per what.
function print_policy(f, name,    what) {
	what = name
	sub(/\.[^.]*$/, "", what)
	if (policy_seen[f, what]++)
		return
	if (!policy_head[f]++)
		printf "\n%-24s %12s %12s %12s\n", "policy", "speed", "compact", "growable"
	printf "%-24s %12s %12s %12s  %s\n", what, shown(value[f, what ".speed", "privheap"]), \
	       shown(value[f, what ".compact", "privheap"]), \
	       shown(value[f, what ".growable", "privheap"]), unit[f, name]
}

# What is asked in wall time need not be what is asked in instructions.
function wish_of(f, row, name) {
	if ((row, part[f]) in asked)
		return asked[row, part[f]]
	return asked[row, ""]
}

function print_name(f, row, name) {
	if (name ~ /^policy\./) {
		print_policy(f, name)
		to_json(f, name, value[f, name, "privheap"], "", "", "")
	} else {
		print_row(f, name, row in peer_row ? peer_row[row] : name, wish_of(f, row, name))
	}
}

function matches(row, name) {
	if (row ~ /\*$/)
		return index(name, substr(row, 1, length(row) - 1)) == 1
	return row == name
}

function print_environment(f,    r, n, found) {
	print environment[f]
	line("row", "ours", "peer", "peer's name", "ratio", "asked", "unit")
	for (r = 1; r <= rows; r++) {
		if (!index(parts[order[r]], " " part[f] " "))
			continue
		found = 0
		for (n = 1; n <= measured[f]; n++) {
			if (!matches(order[r], names[f, n]))
				continue
			found++
			print_name(f, order[r], names[f, n])
		}
		if (!found) {
			print order[r] ": not measured"
			absent++
		}
	}
	print ""
	short += environment[f] ~ /SHORT/
}

END {
	for (f = 2; f <= file; f++)
		print_environment(f)
	print "\n]" > json
	printf "%d of %d figures reached; what each row means: tools/bench/rows.txt\n", \
	       figures - missed, figures
	if (short)
		print "SHORT: a run to see that all rows work; the figures do not count."
	exit absent > 0 || complete < ARGC - 2 || (missed > 0 && !short)
}
