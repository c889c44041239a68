package main

import (
	"iter"
	"regexp"
	"strings"
	"unicode/utf8"
)

const (
	widest = 60    // characters that a column is made as wide as
	most   = 32768 // bytes of a piece
)

// examples are messages that are for it: by these, routes choose among experts.
var examples = []string{
	"Please align this table.",
	"Make the columns of this Markdown table one width.",
	"Tidy up the table below.",
	"| name | value |\n|---|---|\n| a | 1 |",
	"The columns of my README's table are ragged.",
	"Richte bitte die Spalten dieser Tabelle aus.",
	"Formatiere diese Markdown-Tabelle.",
	"Meine Tabelle ist verrutscht.",
}

// rule is the line below a table's heads.
var rule = regexp.MustCompile(`^\s*\|?(\s*:?-+:?\s*\|)*\s*:?-+:?\s*\|?\s*$`)

// tables yields a text piece by piece: tables with columns of one width, the rest as it is.
func tables(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		lines := strings.SplitAfter(text, "\n")
		for at := 0; at < len(lines); {
			rows := tableAt(lines[at:])
			piece := lines[at]
			if rows > 0 {
				piece = table(lines[at : at+rows])
			}
			at += max(rows, 1)
			for rows == 0 && at < len(lines) && strings.TrimSpace(lines[at-1]) != "" && tableAt(lines[at:]) == 0 {
				piece += lines[at]
				at++
			}
			for len(piece) > 0 {
				end := len(piece)
				if end > most {
					for end = most; !utf8.RuneStart(piece[end]); end-- {
					}
				}
				if !yield(piece[:end]) {
					return
				}
				piece = piece[end:]
			}
		}
	}
}

// tableAt is how many lines of a table stand here.
func tableAt(lines []string) int {
	if len(lines) < 2 || !strings.Contains(lines[0], "|") || !strings.Contains(lines[1], "|") || !rule.MatchString(lines[1]) {
		return 0
	}
	rows := 2
	for rows < len(lines) && strings.Contains(lines[rows], "|") {
		rows++
	}
	return rows
}

func table(lines []string) string {
	sides := cells(lines[1])
	widths := make([]int, len(sides))
	for number, line := range lines {
		for column, cell := range cells(line) {
			if column < len(widths) && number != 1 {
				widths[column] = min(max(widths[column], utf8.RuneCountInString(cell), 3), widest)
			}
		}
	}
	var out strings.Builder
	for number, line := range lines {
		for column, cell := range cells(line) {
			switch {
			case column >= len(widths): // below no head: left as it is
			case number == 1:
				cell = dashes(sides[column], max(widths[column], 3))
			default:
				cell = filled(cell, sides[column], widths[column])
			}
			out.WriteString("| " + cell + " ")
		}
		out.WriteString("|" + line[len(strings.TrimRight(line, "\r\n")):])
	}
	return out.String()
}

// cells are between bars; a bar behind a backslash is text.
func cells(line string) []string {
	line = strings.ReplaceAll(strings.TrimSpace(line), `\|`, "\x00")
	row := strings.Split(strings.TrimSuffix(strings.TrimPrefix(line, "|"), "|"), "|")
	for at, cell := range row {
		row[at] = strings.ReplaceAll(strings.TrimSpace(cell), "\x00", `\|`)
	}
	return row
}

func dashes(side string, width int) string {
	start, end := strings.HasPrefix(side, ":"), strings.HasSuffix(side, ":")
	line := []byte(strings.Repeat("-", width))
	if start {
		line[0] = ':'
	}
	if end {
		line[width-1] = ':'
	}
	return string(line)
}

func filled(cell, side string, width int) string {
	space := strings.Repeat(" ", max(width-utf8.RuneCountInString(cell), 0))
	switch start, end := strings.HasPrefix(side, ":"), strings.HasSuffix(side, ":"); {
	case start && end:
		half := len(space) / 2
		return space[:half] + cell + space[half:]
	case end:
		return space + cell
	}
	return cell + space
}
