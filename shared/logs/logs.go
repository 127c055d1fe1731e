// Package logs sets up a process's log by LOG_FORMAT and LOG_LEVEL.
package logs

import (
	"io"
	"log/slog"
)

// Settings of a process's log.
type Settings struct {
	Format string `env:"LOG_FORMAT" default:"text" oneof:"text,json" help:"log format: text or json"`
	Level  string `env:"LOG_LEVEL" default:"info" oneof:"debug,info,warn,error" help:"minimum log level: debug, info, warn or error"`
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
