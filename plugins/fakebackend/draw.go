package main

import "bgremover.pro/core/cutout"

// draw makes the mask of a name: luminance (of each pixel, BT.601), ellipse
// (filling the picture, whatever it shows), full or none.
func draw(name string, input *cutout.Input) *cutout.Mask {
	m := &cutout.Mask{Width: input.Width, Height: input.Height, Pix: make([]uint8, input.Width*input.Height)}
	for i := range m.Pix {
		switch name {
		case "full":
			m.Pix[i] = 255
		case "ellipse":
			// Distance from the centre; 1 on the ellipse that touches the sides.
			x := (2*float64(i%m.Width)+1)/float64(m.Width) - 1
			y := (2*float64(i/m.Width)+1)/float64(m.Height) - 1
			if x*x+y*y < 1 {
				m.Pix[i] = 255
			}
		case "luminance":
			p := input.Pix[3*i : 3*i+3]
			m.Pix[i] = uint8((299*int(p[0]) + 587*int(p[1]) + 114*int(p[2]) + 500) / 1000)
		}
	}
	return m
}
