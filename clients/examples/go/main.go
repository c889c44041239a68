// Asks a question and prints the answer as it comes: go run . [-cut-after N] QUESTION
//
// ANTIPHON_ADDRESS is the server; ANTIPHON_API_KEY, or ANTIPHON_NAME and ANTIPHON_PASSWORD, sign in.
// -cut-after breaks the connection after N pieces of the answer, to show that nothing comes of it.
// Ctrl-C stops the answer.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"antiphon.example/converse/session"
	contextv1 "antiphon.example/converse/stubs/antiphon/context/v1"
	dispatcherv1 "antiphon.example/converse/stubs/antiphon/dispatcher/v1"
	eventsv1 "antiphon.example/converse/stubs/antiphon/events/v1"
)

func main() {
	cutAfter := flag.Int("cut-after", 0, "break the connection after so many pieces of the answer")
	flag.Parse()
	if err := run(context.Background(), flag.Arg(0), *cutAfter); err != nil {
		fmt.Fprintln(os.Stderr, session.Described(err))
		os.Exit(1)
	}
}

func run(ctx context.Context, question string, cutAfter int) error {
	connection, caller, err := session.Dial()
	if err != nil {
		return err
	}
	defer connection.Close()
	conversationID, err := createConversation(ctx, caller, contextv1.NewContextServiceClient(connection))
	if err != nil {
		return err
	}
	talk := &talk{
		conversationID: conversationID,
		turnID:         "turn_" + rand.Text(),
		question:       question,
		place:          place{scope: "conversations/" + conversationID},
	}
	show(talk, cutAfter)
	stopAtInterrupt(ctx, talk)
	if err := talk.ask(ctx, caller, dispatcherv1.NewDispatcherServiceClient(connection)); err != nil {
		return err
	}
	return summary(talk)
}

// createConversation may be repeated: the same request id is answered with the same conversation.
func createConversation(ctx context.Context, caller *session.Session, client contextv1.ContextServiceClient) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, session.CallLimit)
	defer cancel()
	ctx, err := caller.Authorized(ctx)
	if err != nil {
		return "", err
	}
	request := &contextv1.CreateConversationRequest{Title: "From Go", RequestId: newUUID()}
	response, err := client.CreateConversation(ctx, request)
	return response.GetConversation().GetConversationId(), err
}

// show prints pieces of the answer as they come, and breaks the connection after so many.
func show(talk *talk, cutAfter int) {
	pieces := 0
	talk.onText = func(piece string) {
		fmt.Print(piece)
		if pieces++; pieces == cutAfter {
			talk.Break()
		}
	}
	talk.onLost = func(err error) {
		fmt.Fprintf(os.Stderr, "\n[%s; resuming after event %d]\n", session.Described(err), talk.place.offset)
	}
}

// summary is about the turn and its events; it returns an error unless the answer is whole.
func summary(talk *talk) error {
	fmt.Println()
	fmt.Fprintf(os.Stderr, "%s %s %v: events %d-%d, connections %d\n", talk.conversationID, talk.turnID,
		talk.state, talk.place.first, talk.place.offset, talk.connections)
	if talk.state != eventsv1.TurnState_TURN_STATE_SUCCEEDED {
		return errors.New("there is no whole answer")
	}
	return nil
}

// stopAtInterrupt lets the first Ctrl-C stop the turn; the second one ends the program.
func stopAtInterrupt(ctx context.Context, talk *talk) {
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	go func() {
		<-interrupts
		signal.Stop(interrupts)
		talk.stop(ctx)
	}()
}

// newUUID is a random UUID (RFC 9562, 5.4).
func newUUID() string {
	var id [16]byte
	_, _ = rand.Read(id[:])
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
