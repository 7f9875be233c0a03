package bench

import (
	"slices"

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
	r.Model = NewSpread(s.bare)
	for i, v := range variants {
		summary := Variant{Name: v.name, Mode: v.mode, Edges: v.edges, Requests: NewSpread(s.whole[v.name])}
		if v.peer != nil {
			r.Compared = PeerName
		}
		for _, stage := range line {
			if times := s.stages[v.name][stage]; len(times) > 0 {
				summary.Stages = append(summary.Stages, Stage{Stage: stage, Time: NewSpread(times)})
			}
		}
		var over, peer []float64
		for _, p := range r.Photos {
			if i >= len(p.Results) {
				continue // the photo could not be read
			}
			result := p.Results[i]
			over, peer = append(over, float64(result.OverModel)), append(peer, float64(result.PeerOver))
			summary.Memory = max(summary.Memory, result.Memory)
			if result.Error != "" {
				summary.Failures++
			}
		}
		summary.OverModel, summary.PeerOver = NewSpread(over), NewSpread(peer)
		summary.Groups = r.groups(i)
		r.Variants = append(r.Variants, summary)
	}
	r.compareEdges()
}

// comparePeer sets the ratios of one photo.
func (p *PhotoReport) comparePeer() {
	last := len(p.Results) - 1
	for i := range p.Results {
		p.Results[i].PeerOver = unknown
		if i < last && p.Results[last].Variant == peerVariant {
			p.Results[i].PeerOver = ratio(p.Results[last].Requests.P50, p.Results[i].Requests.P50)
		}
	}
}

// groups takes the means of a variant's quality by kind of photo.
func (r *Report) groups(variant int) []Group {
	byName := map[string][]Quality{}
	var names []string
	var all []Quality
	for _, p := range r.Photos {
		if variant >= len(p.Results) || p.Results[variant].Quality == nil {
			continue
		}
		if byName[p.Group] == nil {
			names = append(names, p.Group)
		}
		byName[p.Group] = append(byName[p.Group], *p.Results[variant].Quality)
		all = append(all, *p.Results[variant].Quality)
	}
	if len(all) == 0 {
		return nil
	}
	slices.Sort(names)
	var groups []Group
	for _, name := range names {
		groups = append(groups, Group{Name: name, Photos: len(byName[name]), Quality: meanQuality(byName[name])})
	}
	return append(groups, Group{Name: "all", Photos: len(all), Quality: meanQuality(all)})
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
