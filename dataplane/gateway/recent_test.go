package gateway

import (
	"bytes"
	"fmt"
	"testing"
)

// A bucket holds its last recentWays generations: the oldest goes first, and
// only for one of its own bucket.
func TestNewGenerationsPushOutTheOldestOfTheirBucket(t *testing.T) {
	r := newRecent()
	bucket := r.bucket("first")
	same := []string{"first"}
	for i := 0; len(same) < recentWays+1; i++ {
		if id := fmt.Sprint("gen-", i); r.bucket(id) == bucket {
			same = append(same, id)
		}
	}
	other := "other"
	for r.bucket(other) == bucket {
		other += "r"
	}
	r.add(other, []byte("its event"))
	line := []byte("event 0")
	for i, id := range same {
		line[6] = byte('0' + i)
		r.add(id, line) // which is used again
		if r.line("first") == nil != (i == recentWays) {
			t.Fatalf("after %d more the first is %q", i, r.line("first"))
		}
	}
	for i, id := range same[1:] {
		if got := r.line(id); string(got) != fmt.Sprint("event ", i+1) {
			t.Errorf("generation %d of the bucket: %q", i+1, got)
		}
	}
	if got := r.line(other); string(got) != "its event" {
		t.Errorf("another bucket: %q", got)
	}
	r.add("large", bytes.Repeat([]byte("x"), recentLargest+1))
	if got := r.line("large"); got != nil {
		t.Errorf("%d bytes are kept of an event, more than %d", len(got), recentLargest)
	}
}
