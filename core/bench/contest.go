package bench

import "math"

// Contest counts on how many photos a variant of the pipeline, or one of the peers,
// is the best by one figure. Photos are drawn if the best differ by less than a
// report shows.
type Contest struct {
	Variant string `json:"variant"`
	Figure  string `json:"figure"`
	Photos  int    `json:"photos"`
	Ahead   int    `json:"ahead"`
	Peers   []int  `json:"peers"` // photos won by each, in the order of Report.Peers
	Drawn   int    `json:"drawn"`
}

// measure is a figure by which results of the same photo are compared.
type measure struct {
	name   string
	digits int // after the point, as shown
	of     func(Result) Figure
	// greater is 1 where the greater figure is the better, else -1.
	greater float64
}

var measures = []measure{
	{"IoU", 3, quality(func(q Quality) Figure { return q.IoU }), 1},
	{"edge", 1, quality(func(q Quality) Figure { return q.Edge }), -1},
	{"fg", 1, quality(func(q Quality) Figure { return q.Foreground }), -1},
	{"ms", 0, func(r Result) Figure { return r.Requests.P50 }, -1},
}

func quality(of func(Quality) Figure) func(Result) Figure {
	return func(r Result) Figure {
		if r.Quality == nil {
			return unknown
		}
		return of(*r.Quality)
	}
}

// best lists the results with the best figure, as far as a report shows it;
// none where it is unknown of all.
func (m measure) best(results []Result) (all []int) {
	scale := math.Pow10(m.digits)
	most := math.Inf(-1)
	for i, r := range results {
		figure := m.of(r)
		if !figure.Known() {
			continue
		}
		score := m.greater * math.Round(float64(figure)*scale)
		if score > most {
			most, all = score, nil
		}
		if score == most {
			all = append(all, i)
		}
	}
	return all
}

// contest compares each variant of the pipeline with the peers, photo by photo,
// and marks what is best of each photo.
func (r *Report) contest() {
	if len(r.Peers) == 0 {
		return
	}
	lines := len(r.Variants) - len(r.Peers) // the peers are last
	for i, v := range r.Variants[:lines] {
		for _, m := range measures {
			c := Contest{Variant: v.Name, Figure: m.name, Peers: make([]int, len(r.Peers))}
			for _, p := range r.Photos {
				if len(p.Results) == len(r.Variants) {
					c.count(m.best(append([]Result{p.Results[i]}, p.Results[lines:]...)))
				}
			}
			if c.Photos > 0 {
				r.Contests = append(r.Contests, c)
			}
		}
	}
	for _, p := range r.Photos {
		for _, m := range measures {
			if best := m.best(p.Results); len(best) < len(p.Results) {
				for _, i := range best {
					p.Results[i].Best = append(p.Results[i].Best, m.name)
				}
			}
		}
	}
}

// count takes one photo: the best of the variant, at 0, and the peers after it.
func (c *Contest) count(best []int) {
	switch {
	case len(best) == 0:
		return
	case len(best) > 1:
		c.Drawn++
	case best[0] == 0:
		c.Ahead++
	default:
		c.Peers[best[0]-1]++
	}
	c.Photos++
}

// shown is a figure as the table of photos shows it.
type shown struct {
	Text string
	Best bool
}

// Figures are those by which results are compared.
func (r Result) Figures() (all []shown) {
	for _, m := range measures {
		s := shown{Text: number(m.of(r), m.digits)}
		for _, name := range r.Best {
			s.Best = s.Best || name == m.name
		}
		all = append(all, s)
	}
	return all
}

func measureNames() (all []string) {
	for _, m := range measures {
		all = append(all, m.name)
	}
	return all
}
