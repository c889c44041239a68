package main

import (
	contextv1 "antiphon.example/converse/stubs/antiphon/context/v1"
	dispatcherv1 "antiphon.example/converse/stubs/antiphon/dispatcher/v1"
	eventsv1 "antiphon.example/converse/stubs/antiphon/events/v1"
)

const postTag = "post"

// opening is what a new connection is told first.
func (t *talk) opening() []*dispatcherv1.ConverseRequest {
	subscribe := &dispatcherv1.ConverseRequest_Subscribe{Subscribe: t.place.watch()}
	requests := []*dispatcherv1.ConverseRequest{{Action: subscribe}}
	if !t.posted {
		post := &dispatcherv1.ConverseRequest_Post{Post: &dispatcherv1.DispatchRequest{
			ConversationId: t.conversationID,
			TurnId:         t.turnID,
			Parts:          []*contextv1.Part{{Content: &contextv1.Part_Text{Text: t.question}}},
		}}
		requests = append(requests, &dispatcherv1.ConverseRequest{Tag: postTag, Action: post})
	}
	return requests
}

func (t *talk) cancel() *dispatcherv1.ConverseRequest {
	cancel := &dispatcherv1.CancelTurnRequest{ConversationId: t.conversationID, TurnId: t.turnID}
	return &dispatcherv1.ConverseRequest{Action: &dispatcherv1.ConverseRequest_Cancel{Cancel: cancel}}
}

func refresh(token string) *dispatcherv1.ConverseRequest {
	refresh := &eventsv1.RefreshToken{AccessToken: token}
	return &dispatcherv1.ConverseRequest{Action: &dispatcherv1.ConverseRequest_Refresh{Refresh: refresh}}
}
