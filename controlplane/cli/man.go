package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"
)

func manCommand() *urfave.Command {
	return &urfave.Command{
		Name: "man", Usage: "print the manual page",
		Description: help("It is of section 1, for /usr/local/share/man/man1/gatewayctl.1; man -l - shows it from a pipe.", "gatewayctl man"),
		Action:      run(manual),
	}
}

func manual(_ context.Context, in *invocation) error {
	app := *in.App
	app.Commands = documented(app.Commands, app.Name)
	page, err := app.ToManWithSection(1)
	if err != nil {
		return fmt.Errorf("write the manual page: %w", err)
	}
	return in.show(map[string]string{"page": page}, func(w io.Writer) error {
		_, err := io.WriteString(w, page)
		return err
	})
}

// documented are the commands as the library documents them: with what each
// says of itself, and without the flags that all of them have.
func documented(commands []*urfave.Command, parent string) []*urfave.Command {
	all := make([]*urfave.Command, len(commands))
	for i, c := range commands {
		d := *c
		d.Flags = slices.DeleteFunc(slices.Clone(c.Flags), isGlobal)
		d.UsageText = strings.TrimSpace(parent + " " + c.Name + " " + c.ArgsUsage)
		if c.Description != "" {
			d.UsageText += "\n\n" + c.Description
		}
		d.Subcommands = documented(c.Subcommands, parent+" "+c.Name)
		all[i] = &d
	}
	return all
}

func isGlobal(f urfave.Flag) bool {
	c, ok := f.(urfave.CategorizableFlag)
	return ok && c.GetCategory() == globalGroup
}
