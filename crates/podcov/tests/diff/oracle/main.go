// Says of each line of a source file what a text profile says of the code on it, with Go's own scanner and nothing of
// podcov: "LINE covered", "LINE partial", "LINE not_covered". Lines without code that a block counts are left out.
//
//	oracle PROFILE NAME-IN-PROFILE SOURCE
package main

import (
	"bufio"
	"fmt"
	"go/scanner"
	"go/token"
	"os"
	"sort"
	"strings"
)

type block struct{ startLine, startColumn, endLine, endColumn, statements, count int }

func (b block) contains(line, column int) bool {
	return (line > b.startLine || line == b.startLine && column >= b.startColumn) &&
		(line < b.endLine || line == b.endLine && column < b.endColumn)
}

func main() {
	profile, name, source := os.Args[1], os.Args[2], os.Args[3]
	blocks := read(profile, name)
	text, err := os.ReadFile(source)
	check(err)
	file := token.NewFileSet().AddFile(source, -1, len(text))
	var tokens scanner.Scanner
	tokens.Init(file, text, func(token.Position, string) {}, 0)
	ran, missed := map[int]bool{}, map[int]bool{}
	for {
		position, kind, literal := tokens.Scan()
		if kind == token.EOF {
			break
		}
		switch kind {
		case token.LBRACE, token.RBRACE, token.LPAREN, token.RPAREN, token.COMMA, token.SEMICOLON:
			continue
		}
		place := file.Position(position)
		for _, b := range blocks {
			if b.statements == 0 || !b.contains(place.Line, place.Column) {
				continue
			}
			// A raw string may have several lines.
			for i := range strings.Split(literal, "\n") {
				if b.count > 0 {
					ran[place.Line+i] = true
				} else {
					missed[place.Line+i] = true
				}
			}
		}
	}
	var lines []int
	for line := 1; line <= file.LineCount()+1; line++ {
		if ran[line] || missed[line] {
			lines = append(lines, line)
		}
	}
	sort.Ints(lines)
	for _, line := range lines {
		switch {
		case ran[line] && missed[line]:
			fmt.Println(line, "partial")
		case ran[line]:
			fmt.Println(line, "covered")
		default:
			fmt.Println(line, "not_covered")
		}
	}
}

func read(profile, name string) []block {
	file, err := os.Open(profile)
	check(err)
	counts := map[block]int{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		rest, found := strings.CutPrefix(lines.Text(), name+":")
		if !found {
			continue
		}
		var b block
		_, err := fmt.Sscanf(rest, "%d.%d,%d.%d %d %d",
			&b.startLine, &b.startColumn, &b.endLine, &b.endColumn, &b.statements, &b.count)
		check(err)
		count := b.count
		b.count = 0
		counts[b] += count
	}
	check(lines.Err())
	var blocks []block
	for b, count := range counts {
		b.count = count
		blocks = append(blocks, b)
	}
	return blocks
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
