package web

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/device"
)

// arrival is a POST with photos, from its first byte to its answer.
type arrival struct {
	c      *gin.Context
	x      *exchange
	who    device.Device
	body   *body
	lease  *lease
	intake *intake
	// release releases the result that is being sent; nil for none.
	release func()
}

// receive charges the sender, refuses a body whose declared length is too large,
// and gets ready to read. The caller releases the lease.
func (s *Server) receive(c *gin.Context, who device.Device, photos int) (*arrival, error) {
	x := exchangeOf(c)
	_ = http.NewResponseController(c.Writer).SetWriteDeadline(time.Time{}) // send sets one
	limit := x.generation.settings.MaxUpload
	a := &arrival{c: c, x: x, who: who, lease: &lease{pool: s.memory, owner: ownerOf(c, who)}}
	a.body = newBody(c.Writer, c.Request, int64(photos+1)*limit+slack, s.options.Pace) // one more: the background picture
	a.intake = &intake{
		body: a.body, lease: a.lease, maxUpload: limit, maxPhotos: photos,
		admit: func() error { return s.charge(c, who, 1) },
	}
	if err := s.charge(c, who, 1); err != nil {
		return a, err
	}
	if x.unknownKey {
		return a, errKey // charged anyway, so that guessing keys is not free
	}
	most := a.body.limit
	if _, multipart := boundary(c.Request); !multipart {
		most = limit
	}
	if c.Request.ContentLength > most {
		return a, tooLarge(limit)
	}
	return a, nil
}

// sent releases the last result, which has been sent or never will be.
func (a *arrival) sent() {
	if a.release != nil {
		a.release()
		a.release = nil
	}
}

// close gives back what the request held.
func (a *arrival) close() {
	a.sent()
	a.x.Received = a.body.total
	a.lease.release()
}

// refuse answers with an error. What is left of a small upload is read first,
// so that the connection can serve the next request: a new connection for each
// would cost more than the refusal itself. Where the client may still be sending,
// reading goes on for a while after the answer, as the client would otherwise see
// a broken connection. HTTP/2 can end an upload and keep the connection open.
func (s *Server) refuse(c *gin.Context, b *body, err error) {
	if b == nil {
		b = newBody(c.Writer, c.Request, 0, s.options.Pace)
	}
	if c.Request.ProtoMajor >= 2 || b.ended || b.settle(c.Request.ContentLength) {
		s.fail(c, err)
		return
	}
	conn := http.NewResponseController(c.Writer)
	_ = conn.EnableFullDuplex()
	c.Header("Connection", "close")
	s.fail(c, err)
	_ = conn.Flush()
	b.drain()
}

// cut removes the background of one photo. The work ends if the client leaves.
// The result holds memory until it is sent.
func (s *Server) cut(a *arrival, p photo, options cutout.Options, observe func(cutout.Progress)) (*cutout.Result, error) {
	if p.err != nil {
		return nil, p.err
	}
	ctx, cancel := context.WithTimeout(a.c.Request.Context(), s.options.JobTimeout)
	defer cancel()
	if err := s.options.MayLoad(ctx, keyOf(a.c, a.who), options); err != nil {
		return nil, err
	}
	result, err := s.options.Remover.Remove(ctx, cutout.Job{
		Upload: p.data, Options: options, Observe: observe,
		Owner: a.lease.owner, Hold: true,
	})
	if err != nil {
		return nil, err
	}
	a.release = result.Release
	a.x.Photos++
	return result, nil
}
