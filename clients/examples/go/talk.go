package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"antiphon.example/converse/session"
	contextv1 "antiphon.example/converse/stubs/antiphon/context/v1"
	dispatcherv1 "antiphon.example/converse/stubs/antiphon/dispatcher/v1"
	eventsv1 "antiphon.example/converse/stubs/antiphon/events/v1"
)

const (
	streamLimit  = time.Hour
	silenceLimit = 40 * time.Second // a healthy stream says something every 25 s
	giveUpAfter  = time.Minute
)

type stream = grpc.BidiStreamingClient[dispatcherv1.ConverseRequest, dispatcherv1.ConverseResponse]

// talk is one question and its answer, over as many connections as it takes.
type talk struct {
	session        *session.Session
	dispatcher     dispatcherv1.DispatcherServiceClient
	conversationID string
	turnID         string // our own: posting again can't start a second turn
	question       string
	onText         func(piece string)
	onLost         func(err error)

	place       place
	text        text
	posted      bool
	state       eventsv1.TurnState // how the turn finished; unspecified before
	connections int

	tries   int
	hold    time.Duration
	worked  time.Time
	refused bool

	stopped chan struct{} // closed to stop the turn
	lock    sync.Mutex
	cut     context.CancelFunc
}

// ask posts, and returns when the turn has finished.
func (t *talk) ask(ctx context.Context) error {
	t.worked = time.Now()
	for {
		err := t.connection(ctx)
		if t.state != eventsv1.TurnState_TURN_STATE_UNSPECIFIED {
			return nil
		}
		if err := t.pause(ctx, err); err != nil {
			return err
		}
	}
}

// breakConnection does what a network might.
func (t *talk) breakConnection() {
	t.lock.Lock()
	defer t.lock.Unlock()
	t.cut()
}

// connection is one connection; it ends with the turn, or by an error.
func (t *talk) connection(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, streamLimit)
	defer cancel()
	t.lock.Lock()
	t.cut = cancel
	t.lock.Unlock()
	ctx, err := t.session.Authorized(ctx)
	if err != nil {
		return err
	}
	stream, err := t.dispatcher.Converse(ctx)
	if err != nil {
		return err
	}
	opening := t.opening()
	var writer sync.WaitGroup
	writer.Go(func() { t.write(ctx, stream, opening) })
	defer writer.Wait()
	defer cancel()

	silence := time.AfterFunc(silenceLimit, cancel)
	defer silence.Stop()
	for t.state == eventsv1.TurnState_TURN_STATE_UNSPECIFIED {
		frame, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return status.Error(codes.Unavailable, "the server ended the stream")
		}
		if err != nil {
			return err
		}
		silence.Reset(silenceLimit)
		if err := t.take(frame); err != nil {
			return err
		}
	}
	return nil
}

// write says what there is to say, each at its time. What it fails to send the reader notices.
func (t *talk) write(ctx context.Context, stream stream, opening []*dispatcherv1.ConverseRequest) {
	for _, request := range opening {
		_ = stream.Send(request)
	}
	stopped, renewal := t.stopped, time.After(t.session.RenewIn())
	for {
		select {
		case <-stopped:
			_ = stream.Send(t.cancel())
			stopped = nil
		case <-renewal:
			if token, err := t.session.Token(ctx); err == nil {
				_ = stream.Send(refresh(token))
			}
			renewal = time.After(max(t.session.RenewIn(), time.Second))
		case <-ctx.Done():
			return
		}
	}
}

func (t *talk) take(response *dispatcherv1.ConverseResponse) error {
	switch frame := response.Frame.(type) {
	case *dispatcherv1.ConverseResponse_Created:
		t.connections++
		t.worked = time.Now()
		t.place.cursor = cmp.Or(t.place.cursor, frame.Created.Cursor)
	case *dispatcherv1.ConverseResponse_Batch:
		t.tries, t.refused = 0, false
		events, err := t.place.take(frame.Batch)
		for _, event := range events {
			t.apply(event)
		}
		return err
	case *dispatcherv1.ConverseResponse_Progress:
		for _, watch := range frame.Progress.Watches {
			t.place.cursor = watch.Cursor
		}
	case *dispatcherv1.ConverseResponse_Accepted:
		t.accepted(frame.Accepted)
	case *dispatcherv1.ConverseResponse_Draining:
		t.hold = frame.Draining.ReconnectAfter.AsDuration()
	case *dispatcherv1.ConverseResponse_Ended:
		return ending(frame.Ended)
	case *dispatcherv1.ConverseResponse_Error:
		return status.FromProto(frame.Error.Error).Err()
	}
	return nil
}

func (t *talk) accepted(accepted *dispatcherv1.Accepted) {
	t.posted = t.posted || accepted.Tag == postTag
	turn := accepted.Turn
	ended := turn.State >= eventsv1.TurnState_TURN_STATE_SUCCEEDED
	if ended && turn.MessageId == "" { // stopped before it came: no event will tell
		t.state = turn.State
	}
}

func (t *talk) apply(event *eventsv1.Event) {
	if event.TurnId != t.turnID {
		return
	}
	switch payload := event.Payload.(type) {
	case *eventsv1.Event_TextDeltaAppended:
		delta := payload.TextDeltaAppended
		t.onText(t.text.append(delta.Position, delta.Text))
	case *eventsv1.Event_MessagePosted:
		message := payload.MessagePosted.Message
		if message.Role == contextv1.MessageRole_MESSAGE_ROLE_ASSISTANT {
			t.onText(t.text.append(0, textOf(message.Parts)))
		}
	case *eventsv1.Event_TurnFinished:
		t.state = payload.TurnFinished.State
	}
}

func textOf(parts []*contextv1.Part) string {
	var texts []string
	for _, part := range parts {
		texts = append(texts, part.GetText())
	}
	return strings.Join(texts, "\n")
}

// pause waits before the next try. It returns the error if there shall be none.
func (t *talk) pause(ctx context.Context, err error) error {
	code, reason := status.Code(err), session.ReasonOf(err)
	if code == codes.Unauthenticated && reason != "CREDENTIALS_INVALID" && !t.refused {
		t.refused = true
		t.session.Forget()
	} else if !isResumable(code, reason) || errors.As(err, new(gap)) || time.Since(t.worked) > giveUpAfter {
		return err
	}
	t.onLost(err)
	most := min(100*time.Millisecond<<t.tries, 3*time.Second)
	t.tries++
	select {
	case <-time.After(t.hold + most/10 + rand.N(most)):
	case <-ctx.Done():
		return ctx.Err()
	}
	t.hold = 0
	return nil
}
