package bench

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"text/tabwriter"

	"bgremover.pro/core/cutout"
)

// ClickOptions say what the robot corrects.
type ClickOptions struct {
	Photos []string // files and folders; each needs its truth
	Most   int      // clicks at a photo
	// First returns the matte that the robot begins with.
	First    func(ctx context.Context, file string, upload []byte) (*cutout.Mask, error)
	Progress func(text string)
}

// ClickReport is how many clicks photos took, by folder and method.
type ClickReport struct {
	Most    int
	Folders []*ClickFolder
}

// ClickFolder are the means over a folder's photos.
type ClickFolder struct {
	Name    string
	Photos  int
	Methods [2]ClickMeans // completion and painting
}

// ClickMeans are mean numbers of clicks until the goals, the most for a goal that was
// not reached, and the mean IoU at the end.
type ClickMeans struct {
	To85, To90, IoU float64
	Failed          int // photos that never reached 0.90
}

// dotRadius is how much a click means, as a share of the longer side.
const dotRadius = 1.0 / 80

// workSide is the longer side that mattes are compared at.
const workSide = 640

// Clicks lets a robot correct photos, the usual measure of interactive segmentation: it
// clicks into the middle of the largest region that is wrong, until the matte's IoU with
// the truth is 0.90. With one method a click brings the part that it lies on
// (core/complete), with the other it paints a dot.
func Clicks(ctx context.Context, o ClickOptions) (*ClickReport, error) {
	files, err := Collect(o.Photos)
	if err != nil {
		return nil, err
	}
	report := &ClickReport{Most: o.Most}
	for _, file := range files {
		s, err := load(ctx, file, 0)
		if err != nil {
			return nil, err
		}
		if s.truth == nil {
			continue
		}
		first, err := o.First(ctx, file, s.upload)
		if err != nil {
			return nil, err
		}
		folder := report.folder(filepath.Base(filepath.Dir(file)))
		folder.Photos++
		line := s.name + ":"
		for i, method := range []func(*robot) (answer, error){completion, painting} {
			r := newRobot(s, first)
			answer, err := method(r)
			if err != nil {
				return nil, err
			}
			to85, to90, iou, err := r.run(ctx, o.Most, answer)
			if err != nil {
				return nil, err
			}
			folder.Methods[i].add(to85, to90, iou, iou >= 0.9)
			line += fmt.Sprintf(" %d to 0.85, %d to 0.90, IoU %.3f;", to85, to90, iou)
		}
		o.Progress(line)
	}
	for _, f := range report.Folders {
		for i := range f.Methods {
			m, n := &f.Methods[i], float64(f.Photos)
			m.To85, m.To90, m.IoU = m.To85/n, m.To90/n, m.IoU/n
		}
	}
	if len(report.Folders) == 0 {
		return nil, cutout.Errorf(cutout.Invalid, "No photo has its truth next to it (NAME%s).", alphaEnding)
	}
	return report, nil
}

func (r *ClickReport) folder(name string) *ClickFolder {
	for _, f := range r.Folders {
		if f.Name == name {
			return f
		}
	}
	r.Folders = append(r.Folders, &ClickFolder{Name: name})
	return r.Folders[len(r.Folders)-1]
}

func (m *ClickMeans) add(to85, to90 int, iou float64, reached bool) {
	m.To85 += float64(to85)
	m.To90 += float64(to90)
	m.IoU += iou
	if !reached {
		m.Failed++
	}
}

// WriteText writes the report as a table.
func (r *ClickReport) WriteText(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "Clicks to an IoU of 0.85 and 0.90, at most %d\n", r.Most)
	fmt.Fprintln(w, "folder\tphotos\tmethod\tto 0.85\tto 0.90\tIoU at the end\tnever at 0.90")
	for _, f := range r.Folders {
		for i, name := range []string{"completion", "painting"} {
			m := f.Methods[i]
			fmt.Fprintf(w, "%s\t%d\t%s\t%.2f\t%.2f\t%.3f\t%d\n", f.Name, f.Photos, name, m.To85, m.To90, m.IoU, m.Failed)
		}
	}
	return w.Flush()
}
