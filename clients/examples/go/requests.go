package main

import (
	"antiphon.example/converse/session"
	contextv1 "antiphon.example/converse/stubs/antiphon/context/v1"
	dispatcherv1 "antiphon.example/converse/stubs/antiphon/dispatcher/v1"
)

const postTag = "post"

// opening is what a new connection is told first.
func (t *talk) opening() []*dispatcherv1.ConverseRequest {
	requests := []*dispatcherv1.ConverseRequest{framed(t.place.watch())}
	if !t.posted {
		post := framed(&dispatcherv1.DispatchRequest{
			ConversationId: t.conversationID,
			TurnId:         t.turnID,
			Parts:          []*contextv1.Part{{Content: &contextv1.Part_Text{Text: t.question}}},
		})
		post.Tag = postTag
		requests = append(requests, post)
	}
	if t.stopped.Load() {
		requests = append(requests, framed(t.cancel()))
	}
	return requests
}

func (t *talk) cancel() session.Message {
	return &dispatcherv1.CancelTurnRequest{ConversationId: t.conversationID, TurnId: t.turnID}
}

func framed(message session.Message) *dispatcherv1.ConverseRequest {
	return session.Framed[dispatcherv1.ConverseRequest](message)
}
