package main

import (
	"cmp"
	"context"
	"io"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"antiphon.example/converse/session"
	contextv1 "antiphon.example/converse/stubs/antiphon/context/v1"
	dispatcherv1 "antiphon.example/converse/stubs/antiphon/dispatcher/v1"
	eventsv1 "antiphon.example/converse/stubs/antiphon/events/v1"
)

const (
	streamLimit = time.Hour
	giveUpAfter = time.Minute
)

// talk is one question and its answer, over as many connections as it takes.
type talk struct {
	*session.Streams[dispatcherv1.ConverseRequest, dispatcherv1.ConverseResponse]
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
	stopped     atomic.Bool
}

// ask posts, and returns when the turn has finished.
func (t *talk) ask(ctx context.Context, caller *session.Session, client dispatcherv1.DispatcherServiceClient) error {
	t.Streams = session.NewStreams(caller, client.Converse, t.opening, t.take)
	t.Lost, t.Limit, t.GiveUp = t.onLost, streamLimit, giveUpAfter
	return t.Run(ctx)
}

// stop ends the turn: now, or when there is a connection again.
func (t *talk) stop(ctx context.Context) {
	t.stopped.Store(true)
	t.Send(ctx, t.cancel())
}

// take says io.EOF when the turn has finished.
func (t *talk) take(_ context.Context, message session.Message) error {
	var err error
	switch frame := message.(type) {
	case *eventsv1.WatchCreated:
		t.connections++
		t.place.cursor = cmp.Or(t.place.cursor, frame.Cursor)
	case *eventsv1.EventBatch:
		err = t.batch(frame)
	case *eventsv1.Progress:
		for _, watch := range frame.Watches {
			t.place.cursor = watch.Cursor
		}
	case *dispatcherv1.Accepted:
		t.accepted(frame)
	case *eventsv1.WatchEnded:
		err = ending(frame)
	case *dispatcherv1.ConverseError:
		err = status.FromProto(frame.Error).Err()
	}
	if err == nil && t.state != eventsv1.TurnState_TURN_STATE_UNSPECIFIED {
		return io.EOF
	}
	return err
}

func (t *talk) batch(batch *eventsv1.EventBatch) error {
	events, err := t.place.take(batch)
	for _, event := range events {
		t.apply(event)
	}
	return err
}

// ending is why the watch is over.
func ending(ended *eventsv1.WatchEnded) error {
	code := codes.FailedPrecondition // final: access removed, history lost, rejected, cancelled
	switch ended.Reason {
	case eventsv1.CloseReason_CLOSE_REASON_DRAINING, eventsv1.CloseReason_CLOSE_REASON_SLOW_READER:
		code = codes.Unavailable
	case eventsv1.CloseReason_CLOSE_REASON_SESSION_ENDED:
		code = codes.Unauthenticated
	}
	if ended.Error != nil {
		return status.FromProto(ended.Error).Err()
	}
	return status.Error(code, ended.Reason.String())
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
			t.onText(t.text.append(0, session.TextOf(message.Parts)))
		}
	case *eventsv1.Event_TurnFinished:
		t.state = payload.TurnFinished.State
	}
}
