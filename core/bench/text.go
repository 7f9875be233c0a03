package bench

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// WriteText writes tables for a terminal.
func (r *Report) WriteText(to io.Writer) error {
	w := tabwriter.NewWriter(to, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, r.Title())
	r.writeTimes(w)
	r.writeStages(w)
	r.writeCrowds(w)
	r.writeQuality(w)
	r.writeContests(w)
	r.writeMemory(w)
	r.writePhotos(w)
	return w.Flush()
}

// Title says what was measured where.
func (r *Report) Title() string {
	title := fmt.Sprintf("BGRemover %s; photos: %d, rounds: %d; %s %s, processors: %d",
		r.Version, len(r.Photos), r.Rounds, r.Machine.System, r.Machine.Processor, r.Machine.Processors)
	if r.Pixels > 0 {
		title += fmt.Sprintf("; smaller photos enlarged to %.3g MP", float64(r.Pixels)/1e6)
	}
	return title
}

func (r *Report) writeTimes(w io.Writer) {
	head := "\nrequest, ms\tn\tmin\tp50\tp90\tp99\tmax\tmean\tempty\tfailed\t"
	if r.Model.N > 0 {
		head += "over model: mean\tp50\tmax\t"
	}
	for _, peer := range r.Peers {
		head += peer.Name + " takes: mean\tp50\t"
	}
	fmt.Fprintln(w, head)
	for _, v := range r.Variants {
		s := v.Requests
		fmt.Fprintf(w, "%s\t%d\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%d\t%d\t", v.Name, s.N, s.Min, s.P50, s.P90, s.P99, s.Max, s.Mean, v.Empty, v.Failures)
		if r.Model.N > 0 {
			fmt.Fprintf(w, "%s\t%s\t%s\t", times(v.OverModel.Mean), times(v.OverModel.P50), times(v.OverModel.Max))
		}
		for _, peer := range v.PeersOver {
			fmt.Fprintf(w, "%s\t%s\t", times(peer.Mean), times(peer.P50))
		}
		fmt.Fprintln(w)
	}
	if s := r.Model; s.N > 0 {
		fmt.Fprintf(w, "model alone\t%d\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t\n", s.N, s.Min, s.P50, s.P90, s.P99, s.Max, s.Mean)
	}
}

func (r *Report) writeStages(w io.Writer) {
	head := "\nstage, ms: p50 (p90, p99)\t"
	for _, stage := range line {
		head += string(stage) + "\t"
	}
	fmt.Fprintln(w, head)
	for _, v := range r.Variants {
		if len(v.Stages) == 0 {
			continue
		}
		fmt.Fprintf(w, "%s\t", v.Name)
		for _, stage := range line {
			fmt.Fprintf(w, "%s\t", v.stage(string(stage)))
		}
		fmt.Fprintln(w)
	}
}

func (r *Report) writeCrowds(w io.Writer) {
	head := "\nclients at once\tn\ta second\tover the first\tp50, ms\tp99\tp99 over p50\tmax\tMB\tfailed\t\n"
	for _, c := range r.Crowds {
		fmt.Fprintf(w, "%s%s, %d\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%s\n", head, c.Variant, c.Clients, c.Requests.N,
			number(c.Rate, 2), times(c.OverFirst), number(c.Requests.P50, 0), number(c.Requests.P99, 0), times(c.Tail()),
			number(c.Requests.Max, 0), c.Memory/1e6, c.Failures, c.Error)
		head = ""
	}
}

func (v Variant) stage(name string) string {
	for _, s := range v.Stages {
		if string(s.Stage) == name {
			return fmt.Sprintf("%.0f (%.0f, %.0f)", s.Time.P50, s.Time.P90, s.Time.P99)
		}
	}
	return "-"
}

func (r *Report) writeQuality(w io.Writer) {
	head := "\nquality\tphotos\tn\tempty\tMAD\tMSE\tIoU\tedge\tfg\t\n"
	for _, v := range r.Variants {
		for _, g := range v.Groups {
			fmt.Fprintf(w, "%s%s\t%s\t%d\t%d\t%s\t%s\t%s\t%s\t%s\t\n", head, v.Name, g.Name, g.Photos, g.Empty,
				number(g.MAD, 2), number(g.MSE, 2), number(g.IoU, 3), number(g.Edge, 1), number(g.Foreground, 2))
			head = ""
		}
	}
	head = "\nrefined over raw\tphotos\tedge\tfg\ttime\t\n"
	for _, e := range r.Edges {
		fmt.Fprintf(w, "%s%s\t%s\t%s\t%s\t%s\t\n", head, e.Mode, e.Group, times(e.Edge), times(e.Foreground), times(e.Time))
		head = ""
	}
}

func (r *Report) writeContests(w io.Writer) {
	head := "\nbest by\tphotos\tahead\t"
	for _, peer := range r.Peers {
		head += peer.Name + "\t"
	}
	head += "drawn\t\n"
	for _, c := range r.Contests {
		fmt.Fprintf(w, "%s%s, %s\t%d\t%d\t", head, c.Variant, c.Figure, c.Photos, c.Ahead)
		for _, won := range c.Peers {
			fmt.Fprintf(w, "%d\t", won)
		}
		fmt.Fprintf(w, "%d\t\n", c.Drawn)
		head = ""
	}
}

func (r *Report) writeMemory(w io.Writer) {
	head := "\nmemory\tMB\t\n"
	for _, v := range r.Variants {
		if v.Memory > 0 {
			fmt.Fprintf(w, "%sserver above idle, %s\t%d\t\n", head, v.Name, v.Memory/1e6)
			head = ""
		}
	}
	for _, p := range r.Processes {
		fmt.Fprintf(w, "%sprocess %s, peak\t%d\t\n", head, p.Name, p.Peak/1e6)
		head = ""
	}
}

func (r *Report) writePhotos(w io.Writer) {
	head := "\nphoto\tvariant\tMP\tsizes\tms\tover model\tMB\tIoU\tedge\tfg\t"
	if len(r.Peers) > 0 {
		head += "best by\t"
	}
	fmt.Fprintln(w, head)
	for _, p := range r.Photos {
		if p.Error != "" {
			fmt.Fprintf(w, "%s\t%s\n", p.Name, p.Error)
		}
		for _, result := range p.Results {
			if result.Error != "" {
				fmt.Fprintf(w, "%s\t%s\t%s\n", p.Name, result.Variant, result.Error)
				continue
			}
			q := Quality{IoU: unknown, Edge: unknown, Foreground: unknown}
			if result.Quality != nil {
				q = *result.Quality
			}
			fmt.Fprintf(w, "%s\t%s\t%.1f\t%s\t%s\t%s\t%d\t%s\t%s\t%s\t", p.Name, result.Variant, p.Megapixels(), joined(result.Sizes),
				number(result.Requests.P50, 0), times(result.OverModel), result.Memory/1e6,
				number(q.IoU, 3), number(q.Edge, 1), number(q.Foreground, 1))
			if len(r.Peers) > 0 {
				fmt.Fprintf(w, "%s\t", strings.Join(result.Best, " "))
			}
			fmt.Fprintln(w)
		}
	}
}

// Megapixels is the photo's size.
func (p PhotoReport) Megapixels() float64 { return float64(p.Width) * float64(p.Height) / 1e6 }

// number writes a figure, a dash where it is unknown.
func number(f Figure, digits int) string {
	if !f.Known() {
		return "-"
	}
	return fmt.Sprintf("%.*f", digits, f)
}

// times writes a ratio.
func times(f Figure) string {
	if !f.Known() {
		return "-"
	}
	return number(f, 2) + "x"
}

func joined(sizes []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(sizes), " ", "+"), "[]")
}
