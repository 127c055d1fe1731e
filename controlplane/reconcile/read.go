package reconcile

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

var errEmpty = errors.New("must not be empty")

// Read adds a file to the export. Times of its lines fall into days of the zone.
func (e *Export) Read(name string, r io.Reader, zone *time.Location) error {
	in := bufio.NewReaderSize(r, 1<<16)
	head, _ := in.Peek(3)
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		_, _ = in.Discard(3)
	case bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")):
		return fmt.Errorf("%s: UTF-16 text, must be UTF-8", name)
	}
	f := file{export: e, name: name, zone: zone}
	for {
		next, err := in.Peek(1)
		if err != nil {
			return fmt.Errorf("%s: the file is empty", name)
		}
		if strings.IndexByte(" \t\r\n", next[0]) < 0 {
			if next[0] == '{' || next[0] == '[' {
				return f.readJSON(in)
			}
			return f.readCSV(in)
		}
		_, _ = in.ReadByte()
		if next[0] == '\n' {
			f.skipped++
		}
	}
}

// file is one that is being read.
type file struct {
	export *Export
	name   string
	zone   *time.Location
	// skipped are blank lines before the first.
	skipped     int
	form        form
	first, last string
	// days only, no models
	whole bool
	lines int
}

func (f *file) readCSV(r io.Reader) error {
	table := csv.NewReader(r)
	table.ReuseRecord = true
	header, err := table.Read()
	if err != nil {
		return f.csvError(err)
	}
	at := map[string]int{}
	names := make([]string, len(header))
	for i, name := range header {
		names[i] = strings.ToLower(strings.TrimSpace(name))
		if _, twice := at[names[i]]; twice && names[i] != "" {
			return fmt.Errorf("%s:%d: column %q appears twice", f.name, 1+f.skipped, names[i])
		}
		at[names[i]] = i
	}
	form, err := formOf(names)
	if err != nil {
		return fmt.Errorf("%s:%d: %w", f.name, 1+f.skipped, err)
	}
	if err := f.begin(form); err != nil {
		return err
	}
	for {
		line, err := table.Read()
		if errors.Is(err, io.EOF) {
			return f.end()
		}
		if err != nil {
			return f.csvError(err)
		}
		c := cells{at: at, line: line, kind: "column", zone: f.zone}
		number, _ := table.FieldPos(0)
		where := fmt.Sprintf("%s:%d", f.name, number+f.skipped)
		charge := form.read(&c)
		if c.err != nil {
			return fmt.Errorf("%s: %w", where, c.err)
		}
		if err := f.add(where, charge, c.text("generation_id")); err != nil {
			return err
		}
	}
}

func (f *file) csvError(err error) error {
	if bad, ok := errors.AsType[*csv.ParseError](err); ok {
		if errors.Is(bad.Err, csv.ErrFieldCount) {
			return fmt.Errorf("%s:%d: the line has another number of cells than the header", f.name, bad.Line+f.skipped)
		}
		return fmt.Errorf("%s:%d: column %d: %w", f.name, bad.Line+f.skipped, bad.Column, bad.Err)
	}
	return fmt.Errorf("%s: %w", f.name, err)
}

func (f *file) begin(form form) error {
	e := f.export
	if e.Provider != "" && form.provider != "" && e.Provider != form.provider {
		return fmt.Errorf("%s is an export of %s, the one before of %s: reconcile them one by one", f.name, form.provider, e.Provider)
	}
	if form.provider != "" {
		e.Provider = form.provider
	}
	if e.Lines == nil {
		e.Lines = map[Key]*Sum{}
	}
	f.form = form
	return nil
}

// add takes in a line; one without a model only says that the day is covered.
func (f *file) add(where string, c Charge, id string) error {
	e := f.export
	if f.lines++; f.first == "" || c.Key.Day < f.first {
		f.first = strings.Clone(c.Key.Day)
	}
	if c.Key.Day > f.last {
		f.last = strings.Clone(c.Key.Day)
	}
	if c.Key.Model == "" {
		return nil
	}
	f.whole = f.whole || c.Key.Model == AllModels
	s := e.Lines[c.Key]
	if s == nil {
		s = new(Sum)
		e.Lines[Key{strings.Clone(c.Key.Day), strings.Clone(c.Key.Model)}] = s
	}
	if s.add(&c.Used); max(s.Requests, s.Prompt, s.Completion) >= 1<<60 { // a line adds at most 2^56
		return fmt.Errorf("%s: the counts of %s on %s add up to more than 2^60", where, c.Key.Model, c.Key.Day)
	}
	if id == "" {
		return nil
	}
	if _, twice := e.Charges[id]; twice {
		return fmt.Errorf("%s: generation_id %s appears twice", where, id)
	}
	if e.Charges == nil {
		e.Charges = map[string]Charge{}
	}
	c.Key = Key{strings.Clone(c.Key.Day), strings.Clone(c.Key.Model)}
	e.Charges[strings.Clone(id)] = c
	return nil
}

// end notes which days the file tells what of.
func (f *file) end() error {
	if f.lines == 0 {
		return fmt.Errorf("%s has no lines", f.name)
	}
	for _, m := range f.form.measures {
		f.export.covered[m] = append(f.export.covered[m], cover{f.first, f.last, f.whole && m == Cost})
	}
	return nil
}
