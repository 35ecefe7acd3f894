"""What a network uses: saliency, bubbles, read-out, lesions, parts of the face."""
