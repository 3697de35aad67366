package settings

import (
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
)

// Settings come from the environment; a flag of the same meaning wins.
type Settings struct {
	flags *flag.FlagSet
	err   error
}

func New(program string, output io.Writer) *Settings {
	flags := flag.NewFlagSet(program, flag.ContinueOnError)
	flags.SetOutput(output)
	return &Settings{flags: flags}
}

func (s *Settings) Text(name, variable, fallback, usage string) *string {
	return Of(s, name, variable, fallback, usage, func(text string) (string, error) { return text, nil })
}

// Of is a function because a method cannot have a type parameter.
func Of[T any](s *Settings, name, variable string, fallback T, usage string, parse func(string) (T, error)) *T {
	value := fallback
	if text, set := os.LookupEnv(variable); set {
		parsed, err := parse(text)
		if err != nil && s.err == nil {
			s.err = fmt.Errorf("%s: %w", variable, err)
		}
		value = parsed
	}
	usage = fmt.Sprintf("%s (%s; default %v)", usage, variable, fallback)
	s.flags.Func(name, usage, func(text string) error {
		parsed, err := parse(text)
		if err == nil {
			value = parsed
		}
		return err
	})
	return &value
}

func (s *Settings) Parse(arguments []string) error {
	if err := s.flags.Parse(arguments); err != nil {
		return err
	}
	if s.flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", s.flags.Arg(0))
	}
	return s.err
}

func Level(text string) (slog.Level, error) {
	var level slog.Level
	err := level.UnmarshalText([]byte(text))
	return level, err
}
