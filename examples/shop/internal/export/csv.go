package export

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
)

type Column[T any] struct {
	Name  string
	Value func(T) string
}

func CSV[T any](writer io.Writer, rows []T, columns ...Column[T]) error {
	table := csv.NewWriter(writer)
	record := make([]string, len(columns))
	for index, column := range columns {
		record[index] = column.Name
	}
	if err := table.Write(record); err != nil {
		return fmt.Errorf("writing the header: %w", err)
	}
	for number, row := range rows {
		for index, column := range columns {
			record[index] = harmless(column.Value(row))
		}
		if err := table.Write(record); err != nil {
			return fmt.Errorf("writing row %d: %w", number+1, err)
		}
	}
	table.Flush()
	return table.Error()
}

// harmless keeps a spreadsheet from running what a customer has typed.
func harmless(cell string) string {
	if strings.HasPrefix(cell, "=") || strings.HasPrefix(cell, "@") {
		return "'" + cell
	}
	return cell
}
