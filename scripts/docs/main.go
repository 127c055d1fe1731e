// Command docs makes a static web site of the documentation: go run ./scripts/docs,
// in the repository's root. It reads the index docs/README.md and the pages that
// it lists, and refuses a link that leads nowhere.
package main

import (
	"bytes"
	_ "embed"
	"flag"
	"fmt"
	"html/template"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

const index = "docs/README.md"

//go:embed page.html
var layout string

// page is a Markdown file of the repository.
type page struct {
	// Path is relative to the repository's root.
	Path  string
	Title string
	// Summary is the first paragraph, as text.
	Summary string
	source  []byte
	tree    ast.Node
	anchors map[string]bool
}

func (p *page) output() string {
	name := strings.TrimSuffix(p.Path, ".md") + ".html"
	if p.Path == index {
		return "index.html"
	}
	return strings.Replace(name, "README.html", "index.html", 1)
}

func main() {
	root := flag.String("root", ".", "`FOLDER` of the repository")
	out := flag.String("out", "docs/site", "`FOLDER` to write, relative to the root")
	source := flag.String("source", "", "`URL` at which files of the repository that are no pages can be seen; such links are plain text without it")
	flag.Parse()
	if err := build(*root, filepath.Join(*root, *out), *source); err != nil {
		fmt.Fprintln(os.Stderr, "docs:", err)
		os.Exit(1)
	}
}

func build(root, out, source string) error {
	s := site{root: root, source: strings.TrimSuffix(source, "/"), md: goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithParserOptions(parser.WithAutoHeadingID()))}
	first, err := s.read(index)
	if err != nil {
		return err
	}
	for _, link := range links(first.tree) {
		if target, _, _ := strings.Cut(string(link.Destination), "#"); strings.HasSuffix(target, ".md") {
			if _, err := s.read(path.Join(path.Dir(index), target)); err != nil {
				return err
			}
		}
	}
	shell, err := template.New("page").Parse(layout)
	if err != nil {
		return err
	}
	for _, p := range s.pages {
		if err := s.write(p, out, shell); err != nil {
			return fmt.Errorf("%s: %w", p.Path, err)
		}
	}
	return os.WriteFile(filepath.Join(out, "llms.txt"), []byte(s.llms()), 0o644)
}

type site struct {
	root, source string
	md           goldmark.Markdown
	pages        []*page // in the order of the index
}

func (s *site) find(file string) *page {
	for _, p := range s.pages {
		if p.Path == file {
			return p
		}
	}
	return nil
}

// read adds a page, once.
func (s *site) read(file string) (*page, error) {
	if p := s.find(file); p != nil {
		return p, nil
	}
	content, err := os.ReadFile(filepath.Join(s.root, file))
	if err != nil {
		return nil, err
	}
	p := &page{Path: file, Title: file, source: content, anchors: map[string]bool{}}
	p.tree = s.md.Parser().Parse(text.NewReader(content), parser.WithContext(parser.NewContext(parser.WithIDs(&ids{taken: p.anchors}))))
	for n := p.tree.FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.Heading:
			if n.Level == 1 && p.Title == file {
				p.Title = plain(n, content)
			}
		case *ast.Paragraph:
			if p.Summary == "" {
				p.Summary = plain(n, content)
			}
		}
	}
	s.pages = append(s.pages, p)
	return p, nil
}

// ids names headings as the repository's hosts do, so that links hold in both.
type ids struct{ taken map[string]bool }

var unfit = regexp.MustCompile(`[^\p{L}\p{N} _-]`)

func (i *ids) Generate(value []byte, _ ast.NodeKind) []byte {
	id := strings.ReplaceAll(unfit.ReplaceAllString(strings.ToLower(string(value)), ""), " ", "-")
	for n, base := 1, id; i.taken[id]; n++ {
		id = fmt.Sprintf("%s-%d", base, n)
	}
	i.taken[id] = true
	return []byte(id)
}

func (i *ids) Put(value []byte) { i.taken[string(value)] = true }

func plain(n ast.Node, source []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if t, ok := n.(*ast.Text); ok && entering {
			b.Write(t.Segment.Value(source))
			if t.SoftLineBreak() {
				b.WriteByte(' ')
			}
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

func links(tree ast.Node) (all []*ast.Link) {
	_ = ast.Walk(tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if l, ok := n.(*ast.Link); ok && entering {
			all = append(all, l)
		}
		return ast.WalkContinue, nil
	})
	return all
}

func (s *site) write(p *page, out string, shell *template.Template) error {
	for _, l := range links(p.tree) {
		to, err := s.resolve(p, string(l.Destination))
		if err != nil {
			return err
		}
		l.Destination = []byte(to)
	}
	var body, whole bytes.Buffer
	if err := s.md.Renderer().Render(&body, p.source, p.tree); err != nil {
		return err
	}
	type item struct {
		Title, Link string
		Here        bool
	}
	var nav []item
	for _, other := range s.pages {
		nav = append(nav, item{other.Title, between(p, other), other == p})
	}
	err := shell.Execute(&whole, map[string]any{"Title": p.Title, "Nav": nav, "Body": template.HTML(body.String())}) //nolint:gosec // our own Markdown, without raw HTML
	if err != nil {
		return err
	}
	file := filepath.Join(out, p.output())
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, whole.Bytes(), 0o644)
}

// between is the link from one page to another.
func between(from, to *page) string {
	rel, err := filepath.Rel(path.Dir(from.output()), to.output())
	if err != nil {
		return to.output()
	}
	return filepath.ToSlash(rel)
}

// resolve turns a link between files into one between pages. A link to another
// file of the repository leads to the source, or nowhere in particular.
func (s *site) resolve(p *page, link string) (string, error) {
	if strings.Contains(link, "://") || strings.HasPrefix(link, "mailto:") {
		return link, nil
	}
	file, anchor, _ := strings.Cut(link, "#")
	target, to := p.Path, p
	if file != "" {
		target = path.Join(path.Dir(p.Path), file)
		to = s.find(target)
	}
	if to == nil {
		if _, err := os.Stat(filepath.Join(s.root, target)); err != nil {
			return "", fmt.Errorf("the link to %s leads nowhere", link)
		}
		if s.source == "" {
			return "#", nil
		}
		return s.source + "/" + target, nil
	}
	if anchor != "" && !to.anchors[anchor] {
		return "", fmt.Errorf("the link to %s names a heading that %s does not have", link, target)
	}
	out := between(p, to)
	if file == "" {
		out = ""
	}
	if anchor != "" {
		out += "#" + anchor
	}
	return out, nil
}

// llms lists the pages for language models, in the form of llmstxt.org.
func (s *site) llms() string {
	var b strings.Builder
	b.WriteString("# Gateway\n\n> A self-hosted gateway in Go: one OpenAI-, OpenRouter- and Anthropic-compatible API over your own LLM servers and hosted providers.\n\n## Docs\n\n")
	for _, p := range s.pages {
		fmt.Fprintf(&b, "- [%s](%s): %s\n", p.Title, p.output(), p.Summary)
	}
	return b.String()
}
