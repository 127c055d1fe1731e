// Package logs sets up a process's log by LOG_FORMAT and LOG_LEVEL.
package logs

import (
	"io"
	"log/slog"

	"github.com/hybridinference/gateway/shared/env"
)

// Settings are the two settings of the log.
type Settings struct {
	// Format is text or json, Level debug, info, warn or error.
	Format, Level string
}

// Read takes the settings from LOG_FORMAT and LOG_LEVEL.
func Read(r *env.Reader) Settings {
	return Settings{
		Format: r.Enum("LOG_FORMAT", "text", "form of the log", "text", "json"),
		Level:  r.Enum("LOG_LEVEL", "info", "least important level that is logged", "debug", "info", "warn", "error"),
	}
}

// New returns a logger that writes to w.
func (s Settings) New(w io.Writer) *slog.Logger {
	level := slog.LevelInfo
	switch s.Level {
	case "debug":
		level = slog.LevelDebug
	case "warn":
		level = slog.LevelWarn
	case "error":
		level = slog.LevelError
	}
	o := &slog.HandlerOptions{Level: level}
	if s.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
