package gateway

// Excerpt is an excerpt for tests.
type Excerpt struct{ e excerpt }

// Add is excerpt.add.
func (e *Excerpt) Add(inner []byte) { e.e.add(inner) }

// Text is excerpt.text.
func (e *Excerpt) Text() string { return e.e.text() }
