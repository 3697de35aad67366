package settings

import (
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestFlagsWinOverTheEnvironment(t *testing.T) {
	t.Setenv("SHOP_TEST_LISTEN", ":1")
	t.Setenv("SHOP_TEST_TERM", "2s")
	settings := New("test", io.Discard)
	listen := settings.Text("listen", "SHOP_TEST_LISTEN", ":0", "address")
	term := Of(settings, "term", "SHOP_TEST_TERM", time.Second, "term", time.ParseDuration)
	level := Of(settings, "level", "SHOP_TEST_LEVEL", slog.LevelInfo, "level", Level)

	if err := settings.Parse([]string{"--listen", ":9", "--level=debug"}); err != nil {
		t.Fatal(err)
	}
	if *listen != ":9" || *term != 2*time.Second || *level != slog.LevelDebug {
		t.Errorf("got %s %s %s", *listen, *term, *level)
	}
}

func TestMistakesAreReported(t *testing.T) {
	t.Setenv("SHOP_TEST_TERM", "soon")
	for want, arguments := range map[string][]string{
		"SHOP_TEST_TERM":      nil,
		"invalid value":       {"--term", "later"},
		"unexpected argument": {"stray"},
	} {
		settings := New("test", io.Discard)
		Of(settings, "term", "SHOP_TEST_TERM", time.Second, "term", time.ParseDuration)
		if err := settings.Parse(arguments); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", arguments, err, want)
		}
	}
}
