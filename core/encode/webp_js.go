package encode

import (
	"context"

	"bgremover.pro/core/cutout"
)

// In a browser the page makes WebP files by the browser's own encoder.

var errNoWebP = cutout.Errorf(cutout.UnsupportedFormat, "Choose PNG or JPEG.")

func photoWebP(context.Context, *cutout.Photo) ([]byte, error) { return nil, errNoWebP }
func maskWebP(context.Context, *cutout.Mask) ([]byte, error)   { return nil, errNoWebP }
