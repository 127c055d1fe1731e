package cli

// nearest returns the word that a mistyped one was meant to be, "" if none is
// close: at most a third of its letters differ.
func nearest(typed string, words []string) string {
	best, distance := "", len(typed)/3+1
	for _, word := range words {
		if d := edits(typed, word); d < distance {
			best, distance = word, d
		}
	}
	return best
}

// edits counts the insertions, deletions and replacements, and swaps of
// neighbours, that turn a into b.
func edits(a, b string) int {
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next := make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
