// Command monorepo writes the coverage data of a program that is too large to be built for a benchmark: 2,000 packages
// with 500 functions each, and ten runs of it. With Go's own writers, which are internal to the standard library, so
// this is built from a copy of their sources.
//
//	monorepo DIRECTORY
package main

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"internal/coverage"
	"internal/coverage/encodecounter"
	"internal/coverage/encodemeta"
	"internal/coverage/slicewriter"
	"math/rand/v2"
	"os"
	"path/filepath"
)

const (
	module              = "git.example.com/platform/monorepo"
	packages            = 2_000
	functionsPerPackage = 500
	functionsPerFile    = 25
	runs                = 10
	// Of a package that a run uses, and of the units of a function that it calls.
	usedPackages, calledFunctions, coveredUnits = 0.85, 0.75, 0.7
)

var (
	areas    = []string{"billing", "catalog", "checkout", "identity", "inventory", "ledger", "mailer", "pricing"}
	layers   = []string{"api", "client", "domain", "handlers", "storage", "worker"}
	verbs    = []string{"Apply", "Build", "Close", "Decode", "Fetch", "Handle", "List", "Merge", "Parse", "Validate"}
	nouns    = []string{"Account", "Batch", "Customer", "Discount", "Event", "Invoice", "Order", "Payment", "Token"}
	received = []string{"", "(*Service).", "(*Store).", "Client."}
)

func main() {
	directory := os.Args[1]
	random := rand.New(rand.NewPCG(1, 2)) // the same data each time
	hash, units := writeMetadata(directory, random)
	for run := range runs {
		name := fmt.Sprintf("covcounters.%x.%d.%d", hash, 1000+run, 1_700_000_000_000_000_000+run)
		file := must(os.Create(filepath.Join(directory, name)))
		writer := encodecounter.NewCoverageDataWriter(file, coverage.CtrULeb128)
		arguments := map[string]string{"GOARCH": "amd64", "GOOS": "linux", "argc": "1", "argv0": "monorepo"}
		check(writer.Write(hash, arguments, counters{units, random}))
		check(file.Close())
	}
}

// The number of units of each function follows the hash of the file, by package.
func writeMetadata(directory string, random *rand.Rand) ([16]byte, [][]uint8) {
	var blobs [][]byte
	units := make([][]uint8, packages)
	digest := fnv.New128a()
	for number := range packages {
		blob, hash := metadata(number, &units[number], random)
		blobs = append(blobs, blob)
		digest.Write(hash[:])
	}
	var hash [16]byte
	copy(hash[:], digest.Sum(nil))
	name := filepath.Join(directory, fmt.Sprintf("covmeta.%x", hash))
	file := must(os.Create(name))
	writer := encodemeta.NewCoverageMetaFileWriter(name, file)
	check(writer.Write(hash, blobs, coverage.CtrModeAtomic, coverage.CtrGranularityPerBlock))
	check(file.Close())
	return hash, units
}

func metadata(number int, units *[]uint8, random *rand.Rand) ([]byte, [16]byte) {
	layer := layers[number%len(layers)]
	path := fmt.Sprintf("%s/%s/%s%04d/%s", module, areas[number%len(areas)], "service", number, layer)
	builder := must(encodemeta.NewCoverageMetaDataBuilder(path, layer, module))
	var line uint32
	for index := range functionsPerPackage {
		file := index / functionsPerFile
		if index%functionsPerFile == 0 {
			line = 12
		}
		verb, noun := verbs[random.IntN(len(verbs))], nouns[random.IntN(len(nouns))]
		function := coverage.FuncDesc{
			Funcname: fmt.Sprintf("%s%s%s%d", received[random.IntN(len(received))], verb, noun, index),
			Srcfile:  fmt.Sprintf("%s/%s_%02d.go", path, layer, file),
		}
		for range unitsOf(random) {
			statements := 1 + uint32(random.IntN(4))
			function.Units = append(function.Units, coverage.CoverableUnit{
				StLine: line, StCol: 2 + uint32(random.IntN(60)), EnLine: line + statements,
				EnCol: 3 + uint32(random.IntN(60)), NxStmts: statements,
			})
			line += statements
		}
		line += 3
		builder.AddFunc(function)
		*units = append(*units, uint8(len(function.Units)))
	}
	var blob slicewriter.WriteSeeker
	hash := must(builder.Emit(&blob))
	return bytes.Clone(blob.BytesWritten()), hash
}

// Most functions are small, and some are not.
func unitsOf(random *rand.Rand) int {
	return 1 + min(int(random.ExpFloat64()*3), 40)
}

// One run: each function's counters in the order of the metadata, as a program writes them.
type counters struct {
	units  [][]uint8
	random *rand.Rand
}

func (c counters) VisitFuncs(visit encodecounter.CounterVisitorFn) error {
	for number, functions := range c.units {
		if c.random.Float64() > usedPackages {
			continue
		}
		for index, units := range functions {
			if c.random.Float64() > calledFunctions {
				continue
			}
			counts := make([]uint32, units)
			counts[0] = c.count() // a function that is called begins
			for unit := range counts[1:] {
				if c.random.Float64() < coveredUnits {
					counts[1+unit] = c.count()
				}
			}
			if err := visit(uint32(number), uint32(index), counts); err != nil {
				return err
			}
		}
	}
	return nil
}

// Mostly small, seldom large.
func (c counters) count() uint32 {
	if c.random.IntN(5) > 0 {
		return 1 + c.random.Uint32N(100)
	}
	return 1 + c.random.Uint32N(1<<(7+c.random.IntN(20)))
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
