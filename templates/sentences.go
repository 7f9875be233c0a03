package templates

import (
	"fmt"
	"slices"

	"bgremover.pro/templates/texts"
)

// sentence translates an error's sentence: the sentence itself if the catalogue has it,
// else the meaning of its code. Others stay in English.
func (w words) sentence(code, message string) string {
	if slices.Contains(known, message) {
		return w.Text(message)
	}
	if meaning := meanings[code]; meaning != "" && w.Language != texts.English {
		return w.Text(meaning)
	}
	return message
}

// Note says in a line of text why a photo failed.
func (s *Set) Note(number int, name, code, message string) string {
	w := words{s.language}
	return fmt.Sprintf("%s (%s): %s", w.Text("Photo {n}", "n", number), name, w.sentence(code, message))
}

// meanings say what a code means, for sentences that the catalogue lacks: those with
// numbers in them, and those added later.
var meanings = map[string]string{
	"too_large":           "The upload is larger than this server accepts.",
	"too_many_pixels":     "The picture has more pixels than this server accepts. Make it smaller and try again.",
	"unsupported_format":  "The file is not in a supported picture format. Choose a JPEG, PNG, WebP, HEIC, AVIF, TIFF, GIF or BMP.",
	"rate_limited":        "You have sent as many photos as this server allows for now.",
	"busy":                "Too many photos are being processed right now. Please try again in a moment.",
	"backend_unavailable": "The server cannot process photos at the moment. Please try again later.",
	"timeout":             "The photo took too long to process. Try again, or choose a smaller one.",
	"internal":            "Something went wrong on our side.",
	"method":              "This address does not accept that kind of request.",
}

// known are the sentences that the catalogue has, besides the meanings. They are those
// of core/upload, core/web and the pipeline, which know no language.
var known = []string{
	"This request came from another site. Open this site's own page and send the photo from there.",
	"Your network has too many requests in progress. Try again in a moment.",
	"The operator of this site has blocked this device. If you think that is a mistake, write to them: the address is on the contact page.",
	"Your uploads already use as much of this server's memory as one visitor may. Try again when some of them are done.",
	"The server cannot take more uploads right now. Try again in a few seconds.",
	"The upload was too slow and was stopped. Try again on a faster connection or with a smaller photo.",
	"The upload ended before it was complete.",
	"The file is empty. Choose another photo.",
	"The file is empty. Please choose a photo.",
	"The form has too many fields, or a field is too long.",
	"The request contains no photo. Choose a photo and send it in the field image.",
	"JPEG has no transparency. Please choose a background, or PNG or WebP.",
	"The backend has just been changed. Please try again.",
	"The file is incomplete; the transfer was probably cut off. Please try again with the original.",
	"The file is damaged and cannot be read as a picture. Please try again with the original.",
	"The request was cancelled.",
}
