// Command rewrite writes counter files with Go's own writer that no Go program writes: with raw numbers, with several
// segments, with counters that are about to overflow. That writer is internal to the standard library, so this is built
// from a copy of its sources.
//
//	rewrite raw OUT IN…       the first file, with raw numbers
//	rewrite segments OUT IN…  one file with a segment for each of the files
//	rewrite large OUT IN…     the first file, with every counter just below its limit
package main

import (
	"internal/coverage"
	"internal/coverage/decodecounter"
	"internal/coverage/encodecounter"
	"math"
	"os"
)

type segment struct {
	hash      [16]byte
	functions []decodecounter.FuncPayload
	arguments map[string]string
}

func main() {
	how, inputs := os.Args[1], os.Args[3:]
	output := must(os.Create(os.Args[2]))
	flavor := coverage.CtrULeb128
	if how == "raw" {
		flavor = coverage.CtrRaw
	}
	if how != "segments" {
		inputs = inputs[:1]
	}
	writer := encodecounter.NewCoverageDataWriter(output, flavor)
	for number, input := range inputs {
		segment := read(input)
		if how == "large" {
			segment.enlarge()
		}
		if number == 0 {
			check(writer.Write(segment.hash, segment.arguments, segment))
		} else {
			check(writer.AppendSegment(segment.arguments, segment))
		}
	}
	check(output.Close())
}

func read(name string) segment {
	file := must(os.Open(name))
	defer file.Close()
	reader := must(decodecounter.NewCounterDataReader(name, file))
	header := must(os.ReadFile(name))
	read := segment{arguments: map[string]string{"GOOS": reader.Goos(), "from": name}}
	copy(read.hash[:], header[8:24])
	for {
		var function decodecounter.FuncPayload
		if !must(reader.NextFunc(&function)) {
			return read
		}
		read.functions = append(read.functions, function)
	}
}

func (s segment) VisitFuncs(visit encodecounter.CounterVisitorFn) error {
	for _, function := range s.functions {
		if err := visit(function.PkgIdx, function.FuncIdx, function.Counters); err != nil {
			return err
		}
	}
	return nil
}

func (s segment) enlarge() {
	for _, function := range s.functions {
		for index, count := range function.Counters {
			if count > 0 {
				function.Counters[index] = math.MaxUint32 - 1
			}
		}
	}
}

func must[Value any](value Value, err error) Value {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
