package bench

import (
	"slices"
	"strings"

	"bgremover.pro/core/cutout"
)

// samples are the times of all photos, by variant.
type samples struct {
	bare   []float64
	whole  map[string][]float64
	stages map[string]map[cutout.Stage][]float64
}

func newSamples() *samples {
	return &samples{whole: map[string][]float64{}, stages: map[string]map[cutout.Stage][]float64{}}
}

func (s *samples) add(variant string, o outcome) {
	s.whole[variant] = append(s.whole[variant], milliseconds(o.whole))
	for _, t := range o.timings {
		if s.stages[variant] == nil {
			s.stages[variant] = map[cutout.Stage][]float64{}
		}
		s.stages[variant][t.Stage] = append(s.stages[variant][t.Stage], milliseconds(t.Duration))
	}
}

// line lists the stages in order.
var line = []cutout.Stage{cutout.Waiting, cutout.Decode, cutout.Infer, cutout.Refine, cutout.Compose, cutout.Encode}

// summarise draws together what was measured of each photo.
func (r *Report) summarise(variants []variant, s *samples) {
	r.halve()
	r.Model = NewSpread(s.bare)
	for i, v := range variants {
		summary := Variant{Name: v.name, Mode: v.mode, Edges: v.edges, Requests: NewSpread(s.whole[v.name])}
		for _, stage := range line {
			if times := s.stages[v.name][stage]; len(times) > 0 {
				summary.Stages = append(summary.Stages, Stage{Stage: stage, Time: NewSpread(times)})
			}
		}
		var over []float64
		peers := make([][]float64, len(r.Peers))
		for _, p := range r.Photos {
			if i >= len(p.Results) {
				continue // the photo could not be read
			}
			result := p.Results[i]
			over = append(over, float64(result.OverModel))
			for j, times := range result.PeersOver {
				peers[j] = append(peers[j], float64(times))
			}
			summary.Memory = max(summary.Memory, result.Memory)
			if result.Error != "" {
				summary.Failures++
			}
			if result.Empty {
				summary.Empty++
			}
		}
		summary.OverModel = NewSpread(over)
		for _, times := range peers {
			if v.peer == nil {
				summary.PeersOver = append(summary.PeersOver, NewSpread(times))
			}
		}
		summary.Groups = r.groups(i)
		r.Variants = append(r.Variants, summary)
	}
	r.compareEdges()
	r.contest()
}

// halve deals the photos, by name, in turns to the halves "a" and "b".
func (r *Report) halve() {
	byName := make([]*PhotoReport, len(r.Photos))
	for i := range r.Photos {
		byName[i] = &r.Photos[i]
	}
	slices.SortStableFunc(byName, func(a, b *PhotoReport) int { return strings.Compare(a.Name, b.Name) })
	for i, p := range byName {
		p.Half = [...]string{"a", "b"}[i%2]
	}
}

// comparePeers sets the ratios of one photo.
func (p *PhotoReport) comparePeers(variants []variant) {
	for i := range p.Results {
		for j, v := range variants {
			if variants[i].peer == nil && v.peer != nil {
				p.Results[i].PeersOver = append(p.Results[i].PeersOver, ratio(p.Results[j].Requests.P50, p.Results[i].Requests.P50))
			}
		}
	}
}

// groups takes the means of a variant's quality by kind of photo, by half, and
// over all.
func (r *Report) groups(variant int) []Group {
	byName := map[string][]Result{}
	var kinds []string
	for _, p := range r.Photos {
		if variant >= len(p.Results) || p.Results[variant].Quality == nil {
			continue
		}
		if byName[p.Group] == nil {
			kinds = append(kinds, p.Group)
		}
		for _, name := range []string{p.Group, "half " + p.Half, "all"} {
			byName[name] = append(byName[name], p.Results[variant])
		}
	}
	slices.Sort(kinds)
	var groups []Group
	for _, name := range append(kinds, "half a", "half b", "all") {
		if results := byName[name]; len(results) > 0 {
			groups = append(groups, newGroup(name, results))
		}
	}
	return groups
}

func newGroup(name string, results []Result) Group {
	g := Group{Name: name, Photos: len(results)}
	var qualities []Quality
	for _, result := range results {
		qualities = append(qualities, *result.Quality)
		if result.Empty {
			g.Empty++
		}
	}
	g.Quality = meanQuality(qualities)
	return g
}

func meanQuality(all []Quality) Quality {
	over := func(of func(Quality) Figure) Figure {
		var values []Figure
		for _, q := range all {
			values = append(values, of(q))
		}
		return mean(values)
	}
	return Quality{
		MAD:        over(func(q Quality) Figure { return q.MAD }),
		MSE:        over(func(q Quality) Figure { return q.MSE }),
		IoU:        over(func(q Quality) Figure { return q.IoU }),
		Edge:       over(func(q Quality) Figure { return q.Edge }),
		Foreground: over(func(q Quality) Figure { return q.Foreground }),
	}
}

// compareEdges sets refined against raw edges, where both were measured.
func (r *Report) compareEdges() {
	for _, refined := range r.Variants {
		for _, raw := range r.Variants {
			if refined.Edges != cutout.Refined || raw.Edges != cutout.Raw || refined.Mode != raw.Mode {
				continue
			}
			time := ratio(refined.Requests.P50, raw.Requests.P50)
			for _, g := range refined.Groups {
				i := slices.IndexFunc(raw.Groups, func(other Group) bool { return other.Name == g.Name })
				if i >= 0 {
					r.Edges = append(r.Edges, EdgeRatio{Mode: refined.Mode, Group: g.Name, Time: time,
						Edge: ratio(g.Edge, raw.Groups[i].Edge), Foreground: ratio(g.Foreground, raw.Groups[i].Foreground)})
				}
			}
		}
	}
}
