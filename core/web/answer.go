package web

import (
	"archive/zip"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"bgremover.pro/core/cutout"
	"bgremover.pro/templates"
)

// sendResults answers with a whole page of results and errors. Pictures are
// encoded on the way out, so that no second copy of them is made.
func (s *Server) sendResults(c *gin.Context, outcomes []outcome) {
	view := templates.Results{}
	for _, o := range outcomes {
		view.Outcomes = append(view.Outcomes, s.card(c, o))
	}
	s.stream(c, http.StatusOK, view)
}

// sendFragments answers with one fragment a photo, as htmx swaps them in.
func (s *Server) sendFragments(c *gin.Context, outcomes []outcome) {
	for _, o := range outcomes {
		card := s.card(c, o)
		if card.Error != nil {
			s.stream(c, http.StatusOK, *card.Error)
			continue
		}
		s.stream(c, http.StatusOK, *card.Result)
	}
}

// sendArchive answers with a ZIP of the pictures and, where some photos failed,
// a note that says why.
func (s *Server) sendArchive(c *gin.Context, outcomes []outcome) {
	c.Header("Content-Disposition", `attachment; filename="cutouts.zip"`)
	c.Header("Content-Security-Policy", filePolicy)
	c.Header("Content-Type", "application/zip")
	c.Status(http.StatusOK)
	archive := zip.NewWriter(s.patient(c))
	if err := writeArchive(archive, outcomes); err != nil {
		panic(http.ErrAbortHandler) // half an archive must not look whole
	}
}

func writeArchive(archive *zip.Writer, outcomes []outcome) error {
	var notes string
	for i, o := range outcomes {
		if o.err != nil {
			notes += fmt.Sprintf("Photo %d: %s\n", i+1, cutout.MessageOf(o.err))
			continue
		}
		name := fmt.Sprintf("cutout-%d%s", i+1, extension(o.result.MediaType))
		if err := addFile(archive, name, o.result.File); err != nil {
			return err
		}
	}
	if notes != "" {
		if err := addFile(archive, "errors.txt", []byte(notes)); err != nil {
			return err
		}
	}
	return archive.Close()
}

// addFile stores a file as it is: pictures are compressed already.
func addFile(archive *zip.Writer, name string, content []byte) error {
	w, err := archive.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store, Modified: time.Now()})
	if err == nil {
		_, err = w.Write(content)
	}
	return err
}

// stream renders a view with pictures straight into the answer.
func (s *Server) stream(c *gin.Context, status int, view templates.View) {
	c.Header("Content-Type", htmlType)
	c.Status(status)
	if err := exchangeOf(c).generation.templates.Render(s.patient(c), view); err != nil {
		if !exchangeOf(c).wroteHeader {
			s.fail(c, err)
			return
		}
		panic(http.ErrAbortHandler)
	}
}

// patient gives a slow client time for each piece of a long answer, and ends
// the wait for one that takes nothing.
func (s *Server) patient(c *gin.Context) io.Writer {
	return &patientWriter{to: c.Writer, conn: http.NewResponseController(c.Writer), pace: s.options.Pace}
}

type patientWriter struct {
	to   io.Writer
	conn *http.ResponseController
	pace Pace
}

func (w *patientWriter) Write(p []byte) (int, error) {
	allowance := w.pace.Window + time.Duration(float64(len(p))/float64(w.pace.Rate)*float64(time.Second))
	_ = w.conn.SetWriteDeadline(time.Now().Add(allowance))
	return w.to.Write(p)
}
