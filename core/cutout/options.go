package cutout

import (
	"slices"
	"strconv"
	"strings"
)

// Options are what a visitor chooses for one photo. The zero value means the
// defaults: the first of each list below, the whole photo without background or
// shadow, the server's own choice of model and backend.
type Options struct {
	Mode   Mode
	Format Format
	Output Output
	Edges  Edges
	// Background is laid behind the cut-out; nil leaves it transparent.
	Background *Background
	// Crop, where set, is the margin to keep around the subject, as a share of
	// the subject's longer side; nil keeps the photo's full size.
	Crop *float64
	// Shadow is the opacity, 0 to 1, of a soft contact shadow under the subject.
	Shadow float64
	// Keep and Remove are points of what belongs to the subject and of what does
	// not; the part that each lies on follows.
	Keep, Remove []Point
	// Hints, where set, is a picture laid over the photo, green where it is subject,
	// red where it is not, and transparent where that is undecided.
	Hints []byte
	// Region, where set, is the only part of the photo that may hold the subject.
	Region *Region
	// Layout, where set, places the subject in another frame; Crop is then not used.
	Layout *Layout
	// Depth is 8, or 16 for a PNG of a source with more than eight bits.
	Depth int
	// Anyway keeps what was found even if Result.Subject is SubjectNone; otherwise
	// such a result is fully transparent.
	Anyway bool
	// Model and Backend name what the operator allows; empty means the default.
	Model, Backend string
}

// Mode trades time for quality.
type Mode string

// Format is the file format of the answer.
type Format string

// Output is what the answer shows.
type Output string

// Edges says whether the edges are refined.
type Edges string

// The choices; the first of each kind is the default.
const (
	Auto Mode = "auto" // the smallest size, and more only if the result is uncertain
	Fast Mode = "fast" // the smallest size
	Best Mode = "best" // several sizes, also mirrored if these are uncertain

	PNG  Format = "png"
	WebP Format = "webp"
	JPEG Format = "jpeg"
	ZIP  Format = "zip" // color.jpg, the colours, and alpha.png, the alpha in grey; not for masks

	Cutout  Output = "cutout" // the photo with its background transparent
	Matte   Output = "mask"   // the alpha matte, in grey
	Refined Edges  = "refined"
	Raw     Edges  = "raw"  // the plain mask, scaled, over the photo's own colours
	Hard    Edges  = "hard" // refined, and then each pixel kept or removed as a whole
)

// ParseMode reads a mode; empty leaves the choice to the operator.
func ParseMode(s string) (Mode, error) {
	if s == "" {
		return "", nil
	}
	return parse("mode", s, Auto, Fast, Best)
}

// ParseFormat reads a format; empty means the default, "jpg" means JPEG.
func ParseFormat(s string) (Format, error) {
	if s == "jpg" {
		return JPEG, nil
	}
	return parse("format", s, PNG, WebP, JPEG)
}

// ParseOutput reads an output; empty means the default.
func ParseOutput(s string) (Output, error) { return parse("output", s, Cutout, Matte) }

// ParseEdges reads how edges are treated; empty means the default.
func ParseEdges(s string) (Edges, error) { return parse("edges", s, Refined, Raw) }

// ParseCrop reads a margin in per cent, 0 to 100; empty means no crop.
func ParseCrop(s string) (*float64, error) {
	if s == "" {
		return nil, nil
	}
	margin, err := parsePercent("crop", "the margin around the subject", s)
	return &margin, err
}

// ParseShadow reads an opacity in per cent, 0 to 100; empty means none.
func ParseShadow(s string) (float64, error) {
	if s == "" {
		return 0, nil
	}
	return parsePercent("shadow", "its strength", s)
}

func parsePercent(name, meaning, s string) (share float64, err error) {
	percent, err := strconv.ParseFloat(s, 64)
	if err != nil || !(0 <= percent && percent <= 100) {
		return 0, Errorf(Invalid, "%s is %s in per cent, from 0 to 100", name, meaning)
	}
	return percent / 100, nil
}

// MediaType returns the format's media type.
func (f Format) MediaType() string {
	if f == ZIP {
		return "application/zip"
	}
	return "image/" + string(f)
}

// Extension returns the usual ending of a file of this format, with its dot.
func (f Format) Extension() string {
	if f == JPEG {
		return ".jpg"
	}
	return "." + string(f)
}

func parse[T ~string](name, s string, choices ...T) (T, error) {
	if s == "" {
		return choices[0], nil
	}
	if slices.Contains(choices, T(s)) {
		return T(s), nil
	}
	var words []string
	for _, c := range choices {
		words = append(words, string(c))
	}
	return "", Errorf(Invalid, "%s is one of: %s", name, strings.Join(words, ", "))
}
