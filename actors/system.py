"""interface being written by the lead; see the signatures in your task"""
