package removebg

import (
	"encoding/hex"
	"image/color"
	"strconv"
	"strings"

	"golang.org/x/image/colornames"

	"bgremover.pro/core/cutout"
)

// Bounds of a margin on one side.
const (
	maxMarginPercent = 50
	maxMarginPixels  = 500
)

// frame reads where the subject may be, and where it is to be.
func (r *Request) frame(v values, _ Files) (err error) {
	if r.Options.Region, err = parseRegion(v.get("roi")); err != nil {
		return err
	}
	layout := r.Options.Layout
	if layout.Crop, err = v.flag("crop", false); err != nil {
		return err
	}
	if layout.Margins, err = parseMargins(v.get("crop_margin")); err != nil {
		return err
	}
	if layout.Scale, err = parseScale(v.word("scale", "original")); err != nil {
		return err
	}
	if layout.Position, err = parsePosition(v.word("position", "")); err != nil {
		return err
	}
	if layout.Position == nil && layout.Scale > 0 && v.get("position") == "" {
		layout.Position = &[2]float64{0.5, 0.5}
	}
	return nil
}

// parseLength reads a number of pixels or per cents; without a unit, pixels.
func parseLength(s string) (cutout.Length, bool) {
	number, percent := strings.CutSuffix(s, "%")
	if !percent {
		number = strings.TrimSuffix(strings.ToLower(s), "px")
	}
	n, err := strconv.ParseFloat(number, 64)
	return cutout.Length{Value: n, Percent: percent}, err == nil && 0 <= n && n <= 1e6
}

func parseLengths(s string) ([]cutout.Length, bool) {
	var all []cutout.Length
	for _, part := range strings.Fields(strings.ReplaceAll(s, ",", " ")) {
		l, ok := parseLength(part)
		if !ok || len(all) == 4 {
			return nil, false
		}
		all = append(all, l)
	}
	return all, true
}

// parseRegion reads "x1 y1 x2 y2"; nil for the whole photo.
func parseRegion(s string) (*cutout.Region, error) {
	if s == "" {
		return nil, nil
	}
	all, ok := parseLengths(s)
	if !ok || len(all) != 4 {
		return nil, invalid("roi", "roi is two corners such as 0% 0% 100% 100% or 10px 20px 300px 400px")
	}
	left, top, right, bottom := all[0], all[1], all[2], all[3]
	for _, l := range all {
		if l.Percent && l.Value > 100 {
			return nil, ErrRegionOutside
		}
	}
	if backwards(left, right) || backwards(top, bottom) {
		return nil, ErrRegionEmpty
	}
	percent := func(l cutout.Length, p float64) bool { return l.Value == p && (l.Percent || p == 0) }
	if percent(left, 0) && percent(top, 0) && percent(right, 100) && percent(bottom, 100) {
		return nil, nil
	}
	return &cutout.Region{Left: left, Top: top, Right: right, Bottom: bottom}, nil
}

func backwards(from, to cutout.Length) bool {
	return to.Value == 0 || from.Percent == to.Percent && from.Value >= to.Value
}

// The errors of a region.
var (
	ErrRegionOutside = &Error{Code: "roi_exceeds_bounds", Title: "roi reaches beyond the photo"}
	ErrRegionEmpty   = &Error{Code: "roi_region_empty", Title: "roi holds no pixel of the photo"}
)

// parseMargins reads one value, or vertical and horizontal, or top, right, bottom
// and left.
func parseMargins(s string) (margins [4]cutout.Length, err error) {
	wrong := invalid("crop_margin", "crop_margin is 1, 2 or 4 lengths such as 30px or 10%, each at most 50% of the subject or 500px")
	all, ok := parseLengths(s)
	for _, l := range all {
		if l.Percent && l.Value > maxMarginPercent || !l.Percent && l.Value > maxMarginPixels {
			ok = false
		}
	}
	if !ok {
		return margins, wrong
	}
	switch len(all) {
	case 0:
	case 1:
		margins = [4]cutout.Length{all[0], all[0], all[0], all[0]}
	case 2:
		margins = [4]cutout.Length{all[0], all[1], all[0], all[1]}
	case 4:
		margins = [4]cutout.Length(all)
	default:
		return margins, wrong
	}
	return margins, nil
}

func parseScale(s string) (float64, error) {
	if s == "original" {
		return 0, nil
	}
	l, ok := parseLength(s)
	if !ok || !l.Percent || l.Value < 10 || l.Value > 100 {
		return 0, invalid("scale", "scale is original, or from 10% to 100%")
	}
	return l.Value / 100, nil
}

// parsePosition reads a position; nil for the original one.
func parsePosition(s string) (*[2]float64, error) {
	switch s {
	case "", "original":
		return nil, nil
	case "center":
		return &[2]float64{0.5, 0.5}, nil
	}
	all, ok := parseLengths(s)
	for _, l := range all {
		ok = ok && (l.Percent && l.Value <= 100 || l.Value == 0)
	}
	if !ok || len(all) < 1 || len(all) > 2 {
		return nil, invalid("position", "position is original, center, or one or two shares such as 50% 100%")
	}
	return &[2]float64{all[0].Value / 100, all[len(all)-1].Value / 100}, nil
}

// parseColor reads a name or 3, 4, 6 or 8 hexadecimal digits, the last one or two of
// four or eight being the alpha.
func parseColor(s string) (c color.NRGBA, ok bool) {
	s = strings.ToLower(s)
	if named, known := colornames.Map[s]; known {
		return color.NRGBA(named), true
	}
	switch s {
	case "transparent":
		return c, true
	case "rebeccapurple": // CSS has it, SVG 1.1 not
		s = "663399"
	}
	digits := strings.TrimPrefix(s, "#")
	if len(digits) == 3 || len(digits) == 4 {
		var twice strings.Builder
		for _, d := range digits {
			twice.WriteRune(d)
			twice.WriteRune(d)
		}
		digits = twice.String()
	}
	if len(digits) == 6 {
		digits += "ff"
	}
	b, err := hex.DecodeString(digits)
	if err != nil || len(b) != 4 {
		return c, false
	}
	return color.NRGBA{R: b[0], G: b[1], B: b[2], A: b[3]}, true
}
