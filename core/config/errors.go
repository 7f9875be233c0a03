package config

import (
	"fmt"
	"strings"
)

// Error is one mistake in the settings.
type Error struct {
	Key     string // empty if it concerns the whole file
	Value   string // as it was given; secrets are not shown
	Origin  Origin
	Message string // what is wrong
	Accepts string // what would be valid
}

// Errors is every mistake that was found.
type Errors []Error

func (p Error) Error() string {
	var b strings.Builder
	if p.Key != "" {
		b.WriteString(p.Key)
		if p.Value != "" {
			fmt.Fprintf(&b, " = %q", p.Value)
		}
		fmt.Fprintf(&b, " (%s) ", p.Origin)
	}
	b.WriteString(p.Message)
	if p.Accepts != "" {
		b.WriteString("; expected " + p.Accepts)
	}
	return b.String()
}

func (ps Errors) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.Is and As find one problem among the others.
func (ps Errors) Unwrap() []error {
	errs := make([]error, len(ps))
	for i, p := range ps {
		errs[i] = p
	}
	return errs
}

// Explain reports an error that only appeared in use, such as an address that is
// taken, in the form of Load's errors: with value and origin.
func (c *Config) Explain(key string, err error) Errors {
	for _, v := range c.values {
		if v.Key == key {
			return Errors{{Key: key, Value: v.shown(), Origin: v.Origin, Message: "cannot be used: " + err.Error()}}
		}
	}
	return Errors{{Key: key, Message: err.Error()}}
}

// suggest names the known word nearest to an unknown one, if any is near.
func suggest(word string, known []string) string {
	best, distance := "", len(word)/3+2
	for _, k := range known {
		if d := edits(word, k); d < distance {
			best, distance = k, d
		}
	}
	return best
}

// edits is the Levenshtein distance of two words.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
