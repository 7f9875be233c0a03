package browsertest

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"

	"bgremover.pro/core/compose"
	"bgremover.pro/core/cutout"
)

// scene is a photo of a vase, so to speak: soft at its edge, standing free.
type scene struct {
	photo *cutout.Photo
	alpha *cutout.Mask
}

// vase makes a scene of a width.
func vase(width int) scene {
	height := width * 823 / 1101
	s := scene{
		photo: &cutout.Photo{Width: width, Height: height, Opaque: true, Pix: make([]uint8, 4*width*height)},
		alpha: &cutout.Mask{Width: width, Height: height, Pix: make([]uint8, width*height)},
	}
	for y := range height {
		for x := range width {
			i := y*width + x
			fx, fy := float64(1101*x)/float64(width), float64(1101*y)/float64(width)
			wave := 40 * math.Sin(fx/31) * math.Cos(fy/23)
			copy(s.photo.Pix[4*i:], []uint8{uint8(120 + wave), uint8(60 + fx/8), uint8(200 - fy/6), 255})
			// An egg with a foot, over 24 pixels from nothing to all.
			egg := 260 - math.Hypot((fx-500)*1.3, fy-400)
			foot := min(150-math.Abs(fx-500), 720-fy, fy-500)
			s.alpha.Pix[i] = uint8(255 * max(0, min(1, (max(egg, foot)+12)/24)))
		}
	}
	return s
}

func (s scene) clone() scene {
	photo := *s.photo
	photo.Pix = bytes.Clone(photo.Pix)
	return scene{&photo, s.alpha}
}

// cut makes the cut-out, as the server does.
func (s scene) cut(t testing.TB) *cutout.Photo {
	t.Helper()
	photo := s.clone().photo
	if err := compose.Cutout(t.Context(), photo, s.alpha, true); err != nil {
		t.Fatal(err)
	}
	return photo
}

func encode(t testing.TB, photo *cutout.Photo) []byte {
	t.Helper()
	var file bytes.Buffer
	picture := &image.NRGBA{Pix: photo.Pix, Stride: 4 * photo.Width, Rect: image.Rect(0, 0, photo.Width, photo.Height)}
	if err := png.Encode(&file, picture); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// wish is what a visitor chooses on a card, and what the server makes of it.
type wish struct {
	name       string
	choose     string // statements; $ finds a control of the card
	crop       *float64
	frame      *cutout.Frame
	shadow     float64
	background *cutout.Background
	picture    *cutout.Photo
}

// dress follows the server's order, from the cut-out on.
func (w wish) dress(t testing.TB, s scene, cut *cutout.Photo) *cutout.Photo {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	picture := w.picture
	blur := w.background != nil && w.background.Blur > 0
	if blur {
		var err error
		picture, err = compose.Blurred(t.Context(), s.photo, s.alpha, w.background.Blur)
		must(err)
	}
	photo := scene{photo: cut}.clone().photo
	if w.frame != nil {
		body, err := compose.Body(t.Context(), photo)
		must(err)
		whole := image.Rect(0, 0, photo.Width, photo.Height)
		photo, err = compose.Place(t.Context(), photo, compose.Arrange(whole.Max, whole, body, &cutout.Layout{Frame: w.frame}))
		must(err)
		blur = false // it covers the canvas
	}
	if w.shadow > 0 {
		must(compose.Shadow(t.Context(), photo, w.shadow))
	}
	frame := image.Rect(0, 0, photo.Width, photo.Height)
	if w.crop != nil {
		bounds, err := compose.Bounds(t.Context(), photo)
		must(err)
		frame = compose.Frame(photo, bounds, *w.crop)
	}
	if blur {
		must(compose.Picture(t.Context(), photo, picture))
	}
	photo, err := compose.Crop(t.Context(), photo, frame)
	must(err)
	switch b := w.background; {
	case blur:
	case picture != nil: // the blurred photo too, on a canvas
		must(compose.Picture(t.Context(), photo, picture))
	case b == nil:
	case b.From == b.To:
		must(compose.Flatten(t.Context(), photo, b.From))
	default:
		must(compose.Gradient(t.Context(), photo, b.From, b.To, b.Degrees))
	}
	return photo
}

// read decodes a saved PNG.
func read(t testing.TB, path string) *cutout.Photo {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	b := picture.Bounds()
	photo := &cutout.Photo{Width: b.Dx(), Height: b.Dy(), Pix: make([]uint8, 0, 4*b.Dx()*b.Dy())}
	if direct, ok := picture.(*image.NRGBA); ok {
		photo.Pix = direct.Pix
		return photo
	}
	for y := range b.Dy() {
		for x := range b.Dx() {
			c := color.NRGBAModel.Convert(picture.At(x, y)).(color.NRGBA)
			photo.Pix = append(photo.Pix, c.R, c.G, c.B, c.A)
		}
	}
	return photo
}

// apart tells how far two pictures are from each other: the greatest difference
// of alpha, and that of colours times alpha, in levels.
func apart(t testing.TB, got, want *cutout.Photo) (alpha, colour float64) {
	t.Helper()
	if got.Width != want.Width || got.Height != want.Height {
		t.Errorf("%dx%d, want %dx%d", got.Width, got.Height, want.Width, want.Height)
		return 255, 255
	}
	for i := 0; i < len(got.Pix); i += 4 {
		a, b := float64(got.Pix[i+3]), float64(want.Pix[i+3])
		alpha = max(alpha, math.Abs(a-b))
		for c := range 3 {
			colour = max(colour, math.Abs(float64(got.Pix[i+c])*a-float64(want.Pix[i+c])*b)/255)
		}
	}
	return alpha, colour
}

// behind is a picture to lay behind, with a part that is transparent.
var behind = sync.OnceValue(func() *cutout.Photo {
	photo := &cutout.Photo{Width: 2503, Height: 1201, Pix: make([]uint8, 4*2503*1201)}
	for i := range photo.Width * photo.Height {
		x, y := i%photo.Width, i/photo.Width
		a := uint8(255)
		if x > 2000 {
			a = 90
		}
		copy(photo.Pix[4*i:], []uint8{uint8(x / 10), uint8(y / 5), uint8((x / 64 % 2) * 200), a})
	}
	return photo
})

// wishes are every option by itself, and together.
func wishes() []wish {
	const crop = `tick('crop');`
	const shadow = `tick('shadow');`
	set := func(name, value string) string { return fmt.Sprintf("set('%s', '%s');", name, value) }
	blend := &cutout.Background{From: color.NRGBA{R: 255, G: 240, B: 10, A: 255}, To: color.NRGBA{R: 16, G: 32, B: 160, A: 255}, Degrees: 225}
	const gradient = `set('from', '#fff00a'); set('to', '#1020a0'); set('degrees', '225');`
	return []wish{
		{name: "crop", choose: crop + set("margin", "0"), crop: new(0.0)},
		{name: "crop with space", choose: crop + set("margin", "12"), crop: new(0.12)},
		{name: "shadow", choose: shadow + set("strength", "60"), shadow: 0.6},
		{name: "crop and shadow", choose: crop + shadow + set("margin", "3") + set("strength", "90"), crop: new(0.03), shadow: 0.9},
		{name: "around the subject", choose: set("frame", "free") + set("margin", "30"), frame: &cutout.Frame{Margin: 0.3}},
		{name: "a square, with a shadow", choose: set("frame", "1:1") + shadow + set("strength", "80"), frame: &cutout.Frame{Aspect: 1, Margin: 0.09}, shadow: 0.8},
		{name: "wide, on a gradient", choose: set("frame", "16:9") + set("margin", "50") + gradient, frame: &cutout.Frame{Aspect: 16.0 / 9, Margin: 0.5}, background: blend},
		{name: "for a shop, larger", choose: set("frame", "2000x2000") + shadow + set("strength", "50") + `colour('#8fb8de');`, frame: &cutout.Frame{Width: 2000, Height: 2000, Margin: 0.09}, shadow: 0.5, background: cutout.Plain(color.NRGBA{R: 0x8f, G: 0xb8, B: 0xde, A: 255})},
		{name: "for a shop, smaller", choose: crop + set("frame", "1000x1000") + set("margin", "50"), frame: &cutout.Frame{Width: 1000, Height: 1000, Margin: 0.5}},
		{name: "for a passport, blurred", choose: set("frame", "827x1063") + `pick('blur')`, frame: &cutout.Frame{Width: 827, Height: 1063, Margin: 0.09}, background: &cutout.Background{Blur: cutout.UsualBlur}},
		{name: "a square on a picture", choose: set("frame", "1:1") + set("margin", "0"), frame: &cutout.Frame{Aspect: 1}, background: &cutout.Background{}, picture: behind()},
		{name: "colour", choose: `colour('#8fb8de')`, background: cutout.Plain(color.NRGBA{R: 0x8f, G: 0xb8, B: 0xde, A: 255})},
		{name: "gradient", choose: gradient, background: blend},
		{name: "gradient and the rest", choose: gradient + crop + shadow + set("margin", "5") + set("strength", "50"), background: blend, crop: new(0.05), shadow: 0.5},
		{name: "blur", choose: `pick('blur')`, background: &cutout.Background{Blur: cutout.UsualBlur}},
		{name: "blur and the rest", choose: `pick('blur');` + set("amount", "90") + crop + shadow + set("margin", "8") + set("strength", "50"), background: &cutout.Background{Blur: 90}, crop: new(0.08), shadow: 0.5},
		{name: "picture", background: &cutout.Background{}, picture: behind()},
		{name: "picture and the rest", choose: crop + shadow + set("margin", "8") + set("strength", "50"), background: &cutout.Background{}, picture: behind(), crop: new(0.08), shadow: 0.5},
	}
}

// controls is what a wish's statements are made of.
const controls = `const box = document.querySelector('.tools'), find = (name) => box.querySelector('[name="' + name + '"]');
	const set = (name, value) => { find(name).value = value; for (const type of ['input', 'change']) find(name).dispatchEvent(new Event(type, { bubbles: true })) };
	const tick = (name) => { find(name).checked = true; find(name).dispatchEvent(new Event('input', { bubbles: true })) };
	const pick = (kind) => box.querySelector('.swatch [value="' + kind + '"]').click();
	const colour = (value) => set('colour', value);`

// What the page makes of a cut-out is what the server makes of it. Alpha may
// differ by one level, where a tie is rounded. Canvases hold 8 bits of colour
// times alpha, so on its way in and out again a colour is rounded twice more, by
// up to half a level each time, and between them to a whole colour: times alpha,
// which is what shows, it is at most two levels away.
func TestPageAndServerMakeTheSame(t *testing.T) {
	s, p := startSite(t), open(t, "")
	original := vase(1101) // its sides are no multiples of the blocks that are averaged
	upload, cut := encode(t, original.photo), original.cut(t)
	s.line.answers(cut.Width, cut.Height, encode(t, cut))
	back := write(t, "behind.png", encode(t, behind()))
	folder, save := p.downloads()
	for _, w := range wishes() {
		t.Run(w.name, func(t *testing.T) {
			p.t = t
			p.visit(s.url)
			p.pick(write(t, "vase.png", upload))
			p.results(1)
			sent := len(s.requests())
			p.act(controls + w.choose)
			if w.picture != nil {
				p.do(chromedp.SetUploadFiles(chromedp.CSS(`.backdrops [type="file"]`), []string{back}))
				p.wait(`document.querySelector('.plate').dataset.backdrop === 'picture'`)
			}
			save(func() { p.click(`[data-act="save"]`) })
			got, want := read(t, filepath.Join(folder, "vase-cutout.png")), w.dress(t, original, cut)
			alpha, colour := apart(t, got, want)
			t.Logf("%dx%d, alpha within %.0f, colours times alpha within %.2f", got.Width, got.Height, alpha, colour)
			if alpha > 1 || colour > 2 {
				t.Errorf("alpha is up to %.0f levels off, colours times alpha %.2f", alpha, colour)
			}
			p.wait(fmt.Sprintf(`document.querySelector('.facts .size').textContent === '%d × %d'`, want.Width, want.Height))
			for _, x := range s.requests()[sent:] {
				if x.Method != http.MethodGet {
					t.Errorf("%s %s was sent", x.Method, x.Route)
				}
			}
		})
	}
	p.t = t
}

// canvasOf is what static/js/frame.js makes of a canvas.
type canvasOf struct {
	Width, Height int
	Across, Down  struct {
		At, Scale float64
		Zero      int
	}
}

// Canvases of all shapes have the same size, and their subject the same place, on page
// and server.
func TestPageAndServerLayTheSameCanvas(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.visit(s.url)
	random := rand.New(rand.NewPCG(1, 2))
	kinds := []string{"free", "1:1", "4:5", "16:9", "35:45", "1x1", "2000x2000", "1920x1080", "7x900"}
	for range 300 {
		kind, margin := kinds[random.IntN(len(kinds))], float64(random.IntN(101))/100
		whole := image.Pt(1+random.IntN(40), 1+random.IntN(4000))
		if random.IntN(2) == 0 {
			whole.X, whole.Y = whole.Y, whole.X
		}
		left, top := random.IntN(whole.X), random.IntN(whole.Y)
		body := image.Rect(left, top, left+1+random.IntN(whole.X-left), top+1+random.IntN(whole.Y-top))
		if random.IntN(3) == 0 {
			body.Max.Y = whole.Y // cut off below
		}
		given := fmt.Sprintf("{ left: %d, top: %d, width: %d, height: %d }", body.Min.X, body.Min.Y, body.Dx(), body.Dy())
		if random.IntN(10) == 0 {
			body, given = image.Rectangle{}, "null"
		}
		got := eval[canvasOf](p, fmt.Sprintf(`(async () => (await import(document.querySelector('script[type="module"]').src.replace('home.js', 'frame.js')))
			.canvas('%s', %v, %s, { width: %d, height: %d }))()`, kind, margin, given, whole.X, whole.Y))
		frame, size, aspect := &cutout.Frame{Margin: margin}, "", ""
		switch {
		case strings.Contains(kind, "x"):
			size = kind
		case kind != "free":
			aspect = kind
		}
		if size+aspect != "" {
			o, err := cutout.ParseOptions(map[string]string{"aspect": aspect, "size": size, "margin": fmt.Sprint(math.Round(100 * margin))}, true)
			if err != nil {
				t.Fatal(err)
			}
			frame = o.Layout.Frame
		}
		want := compose.Arrange(whole, image.Rectangle{Max: whole}, body, &cutout.Layout{Frame: frame})
		if body.Empty() {
			body = image.Rectangle{Max: whole}
		}
		at := func(a struct {
			At, Scale float64
			Zero      int
		}, v int) int {
			return int(math.Round(a.At + a.Scale*float64(v-a.Zero)))
		}
		subject := image.Rect(at(got.Across, body.Min.X), at(got.Down, body.Min.Y), at(got.Across, body.Max.X), at(got.Down, body.Max.Y)).
			Intersect(image.Rect(0, 0, got.Width, got.Height))
		if got.Width != want.Width || got.Height != want.Height || subject != want.Placed.Subject {
			t.Errorf("%s, margin %v, %s of %v: %dx%d with the subject at %v on the page, %dx%d at %v on the server",
				kind, margin, given, whole, got.Width, got.Height, subject, want.Width, want.Height, want.Placed.Subject)
		}
	}
}
