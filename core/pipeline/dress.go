package pipeline

import (
	"context"
	"image"

	"bgremover.pro/core/compose"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/decode"
)

// dress makes the cut-out from a photo and its alpha, with the requested shadow,
// crop and background. It works in place and returns the photo itself or, if
// cropped, another. The order is part of what a visitor sees: the crop
// leaves room for the shadow, the photo's own background stays where it was, and
// every other background fills what the crop left.
func dress(ctx context.Context, photo *cutout.Photo, alpha *cutout.Mask, picture *cutout.Photo, options cutout.Options) (*cutout.Photo, error) {
	background := options.Background
	blurred := picture == nil && background != nil && background.Blur > 0
	if blurred {
		var err error
		if picture, err = compose.Blurred(ctx, photo, alpha, background.Blur); err != nil {
			return nil, err
		}
	}
	if err := cut(ctx, photo, alpha, options); err != nil {
		return nil, err
	}
	frame := image.Rect(0, 0, photo.Width, photo.Height)
	if options.Crop != nil {
		bounds, err := compose.Bounds(ctx, photo)
		if err != nil {
			return nil, err
		}
		frame = compose.Frame(photo, bounds, *options.Crop)
	}
	if blurred {
		if err := compose.Picture(ctx, photo, picture); err != nil {
			return nil, err
		}
		return compose.Crop(ctx, photo, frame)
	}
	photo, err := compose.Crop(ctx, photo, frame)
	if err != nil {
		return nil, err
	}
	return photo, fill(ctx, photo, picture, background)
}

// lay is dress for a job with a layout. The scene's photo is not usable afterwards. In
// a frame the shadow is drawn last, so that the photo's border does not cut it off.
// Code: TooManyPixels for a frame beyond the limits.
func lay(ctx context.Context, s *scene, alpha *cutout.Mask, options cutout.Options, limits decode.Limits) (*cutout.Photo, *cutout.Placed, error) {
	frame, shadow := options.Layout.Frame, options.Shadow
	if frame != nil {
		options.Shadow = 0
	}
	photo, picture := s.photo, s.picture
	s.photo = nil // so that it can be freed
	if picture == nil && options.Background != nil && options.Background.Blur > 0 {
		var err error
		if picture, err = compose.Blurred(ctx, photo, alpha, options.Background.Blur); err != nil {
			return nil, nil, err
		}
	}
	if err := cut(ctx, photo, alpha, options); err != nil {
		return nil, nil, err
	}
	extent := compose.Body
	if frame == nil {
		extent = compose.Bounds
		photo.Deep = nil // other layouts have eight bits
	}
	bounds, err := extent(ctx, photo)
	if err != nil {
		return nil, nil, err
	}
	arranged := compose.Arrange(s.original, s.at, bounds.Add(s.at.Min), options.Layout)
	if bounds.Empty() {
		arranged.Placed.Subject = image.Rectangle{}
	}
	if frame != nil {
		if err := frame.Check(float64(arranged.Width), float64(arranged.Height), limits.MaxSide, limits.MaxPixels); err != nil {
			return nil, nil, err
		}
	}
	if photo, err = compose.Place(ctx, photo, arranged); err != nil {
		return nil, nil, err
	}
	if frame != nil && shadow > 0 && !bounds.Empty() {
		if err := compose.Shadow(ctx, photo, shadow); err != nil {
			return nil, nil, err
		}
	}
	if options.Output == cutout.Cutout {
		err = fill(ctx, photo, picture, options.Background)
	}
	return photo, &arranged.Placed, err
}

// cut makes what is not the subject transparent and adds the shadow.
func cut(ctx context.Context, photo *cutout.Photo, alpha *cutout.Mask, options cutout.Options) error {
	if err := compose.Cutout(ctx, photo, alpha, options.Edges != cutout.Raw && options.Output == cutout.Cutout); err != nil {
		return err
	}
	if options.Shadow > 0 && options.Output == cutout.Cutout {
		return compose.Shadow(ctx, photo, options.Shadow)
	}
	return nil
}

// fill lays the background behind the cut-out.
func fill(ctx context.Context, photo, picture *cutout.Photo, background *cutout.Background) error {
	switch {
	case background == nil:
		return nil
	case picture != nil:
		return compose.Picture(ctx, photo, picture)
	case background.From == background.To:
		return compose.Tint(ctx, photo, background.From)
	}
	return compose.Gradient(ctx, photo, background.From, background.To, background.Degrees)
}

// behind returns the file of the background picture; nil for none.
func behind(options cutout.Options) []byte {
	if options.Background == nil || options.Output != cutout.Cutout {
		return nil
	}
	return options.Background.Picture
}

// openBehind reads the background picture's header; nil for none.
func openBehind(ctx context.Context, file []byte, limits decode.Limits) (*decode.Upload, error) {
	if len(file) == 0 {
		return nil, nil
	}
	upload, err := decode.Open(ctx, file, limits, false)
	return upload, aboutBehind(err)
}

// decodeBehind decodes the background picture and reduces it to what the photo
// needs; nil for none.
func decodeBehind(ctx context.Context, upload *decode.Upload, photo *cutout.Photo, layout *cutout.Layout) (*cutout.Photo, error) {
	if upload == nil {
		return nil, nil
	}
	picture, err := upload.Decode(ctx)
	if err != nil {
		return nil, aboutBehind(err)
	}
	width, height := covered(photo.Width, photo.Height, layout)
	return compose.Covering(ctx, picture, width, height)
}

// covered is what a background has to cover: a photo, or a canvas of known size.
func covered(width, height int, layout *cutout.Layout) (int, int) {
	if layout != nil && layout.Frame != nil && layout.Frame.Width > 0 {
		return layout.Frame.Width, layout.Frame.Height
	}
	return width, height
}

// aboutBehind marks an error as being about the background picture.
func aboutBehind(err error) error {
	if err == nil {
		return nil
	}
	return cutout.Wrap(cutout.CodeOf(err), err, "The background picture cannot be used. "+cutout.MessageOf(err))
}
