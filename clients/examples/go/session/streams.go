package session

import (
	"context"
	"errors"
	"io"
	"log"
	"math/rand/v2"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
)

// Silence is how long a stream may say nothing: a healthy one of events says something every 25 s.
const Silence = 40 * time.Second

// Open is how a stream of a service is opened.
type Open[Q, R any] func(context.Context, ...grpc.CallOption) (grpc.BidiStreamingClient[Q, R], error)

// Streams is one stream in both directions after the other, of frames Q to the server and R from it.
type Streams[Q, R any] struct {
	Lost    func(error)   // one has broken: the next one follows
	Silence time.Duration // how long one may say nothing
	Limit   time.Duration // of each; 0 is none
	GiveUp  time.Duration // after so long without one that works; 0 is never, and limits are waited out, too

	caller  *Session
	open    Open[Q, R]
	opening func() []*Q
	take    func(context.Context, Message) error

	lock    sync.Mutex // for sending
	stream  grpc.BidiStreamingClient[Q, R]
	cut     context.CancelFunc
	tries   int
	hold    time.Duration // how long the server wants not to be called
	worked  time.Time
	refused bool
}

// NewStreams are streams that are told by opening what is said first. What they say is taken one after
// the other, with a context that ends with the stream.
func NewStreams[Q, R any](
	caller *Session, open Open[Q, R], opening func() []*Q, take func(context.Context, Message) error,
) *Streams[Q, R] {
	lost := func(err error) { log.Printf("%s; trying again", Described(err)) }
	return &Streams[Q, R]{caller: caller, open: open, opening: opening, take: take, Lost: lost, Silence: Silence}
}

// Run opens one after the other until what takes their frames says io.EOF, or another one would not help.
func (s *Streams[Q, R]) Run(ctx context.Context) error {
	s.worked = time.Now()
	for {
		err := s.once(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err := s.pause(ctx, err); err != nil {
			return err
		}
	}
}

// Send says something on the newest stream, unless the context has ended. What is not taken there is
// noticed where it is read.
func (s *Streams[Q, R]) Send(ctx context.Context, message proto.Message) {
	s.write(ctx, Framed[Q](message))
}

// Break does to the newest one what a network might.
func (s *Streams[Q, R]) Break() {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.cut()
}

func (s *Streams[Q, R]) once(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if s.Limit > 0 {
		defer time.AfterFunc(s.Limit, cancel).Stop()
	}
	stream, err := s.opened(ctx, cancel)
	if err != nil {
		return err
	}
	go s.renew(ctx)
	silence := time.AfterFunc(s.Silence, cancel)
	defer silence.Stop()
	for frames := 0; ; frames++ {
		frame, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return status.Error(codes.Unavailable, "the server ended the stream")
		}
		if err != nil {
			return err
		}
		message := Unframed(any(frame).(proto.Message))
		if it, is := message.(interface{ GetReconnectAfter() *durationpb.Duration }); is {
			s.hold = it.GetReconnectAfter().AsDuration()
		}
		if err := s.take(ctx, message); err != nil {
			return err
		}
		if frames > 0 { // it works: what was tried before counts no more
			s.tries, s.refused, s.worked = 0, false, time.Now()
		}
		silence.Reset(s.Silence)
	}
}

// opened signs in, opens one, and says what is said first.
func (s *Streams[Q, R]) opened(ctx context.Context, cancel context.CancelFunc) (grpc.BidiStreamingClient[Q, R], error) {
	ctx, err := s.caller.Authorized(ctx)
	if err != nil {
		return nil, err
	}
	stream, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	s.stream, s.cut = stream, cancel
	for _, request := range s.opening() {
		_ = stream.Send(request)
	}
	return stream, nil
}

func (s *Streams[Q, R]) write(ctx context.Context, request *Q) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.stream != nil && ctx.Err() == nil {
		_ = s.stream.Send(request)
	}
}

// renew says the next token before the one expires, until the stream ends.
func (s *Streams[Q, R]) renew(ctx context.Context) {
	for {
		select {
		case <-time.After(max(s.caller.RenewIn(), time.Second)):
			if token, err := s.caller.Token(ctx); err == nil {
				s.write(ctx, refresh[Q](token))
			}
		case <-ctx.Done():
			return
		}
	}
}

// pause waits before the next one. It returns the error if there shall be none.
func (s *Streams[Q, R]) pause(ctx context.Context, err error) error {
	tooLong := s.GiveUp > 0 && time.Since(s.worked) > s.GiveUp
	if status.Code(err) == codes.Unauthenticated && ReasonOf(err) != "CREDENTIALS_INVALID" && !s.refused {
		s.refused = true
		s.caller.Forget()
	} else if tooLong || !isResumable(err, s.GiveUp == 0) {
		return err
	}
	s.Lost(err)
	most := min(100*time.Millisecond<<s.tries, 3*time.Second)
	s.tries = min(s.tries+1, 5)
	select {
	case <-time.After(s.hold + most/10 + rand.N(most)):
	case <-ctx.Done():
		return ctx.Err()
	}
	s.hold = 0
	return nil
}
